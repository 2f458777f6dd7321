// pairs_since(run): which pairs later runs changed, the latest run last
MATCH (run:AlignRun {id: $run})
MATCH (later:AlignRun) WHERE later.started_at >= run.started_at AND later <> run
MATCH (change:AlignChange)-[:IN_RUN]->(later)
WITH later, change ORDER BY later.started_at, later.id, change.number
RETURN later.id AS run, change.pairs AS pairs
