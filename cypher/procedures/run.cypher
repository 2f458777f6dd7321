// run(id): all that is known of a run, and every pair that it changed
// READ run(id :: STRING) :: (run :: MAP, kind :: STRING, pair :: STRING, confidence :: FLOAT, before :: FLOAT)
MATCH (run:AlignRun {id: $id})
OPTIONAL MATCH (change:AlignChange)-[:IN_RUN]->(run)
UNWIND range(0, coalesce(size(change.pairs), 1) - 1) AS at
RETURN properties(run) AS run, change.kind AS kind, change.pairs[at] AS pair, change.confidence[at] AS confidence,
       change.was_confidence[at] AS before
ORDER BY change.number, at
