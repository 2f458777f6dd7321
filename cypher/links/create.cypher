// create(rows, left_key, right_key, left_prefix, right_prefix, run, model, change, number): write predicted links and what was written; an end that is gone, became another node or was judged by a person, and a name that a link has already, is passed over
UNWIND $rows AS row
// Not STARTS WITH: before the first link the planner would seek all pairs in the index, for every row.
MATCH (l) WHERE elementId(l) = row.left_id AND l[$left_key] = row.left
MATCH (r) WHERE elementId(r) = row.right_id AND r[$right_key] = row.right
  AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
  AND NOT (row.alone AND EXISTS {
    (l)-[c:SAME_AS {status: 'confirmed'}]->() WHERE left(c.pair, size($left_prefix)) = $left_prefix AND c.pair CONTAINS '|' + $right_prefix })
  AND NOT (row.alone AND EXISTS {
    (r)<-[c:SAME_AS {status: 'confirmed'}]-() WHERE left(c.pair, size($left_prefix)) = $left_prefix AND c.pair CONTAINS '|' + $right_prefix })
  AND NOT EXISTS { MATCH ()-[:SAME_AS {pair: row.pair}]->() }
// Not MERGE: with all properties at once it takes three quarters of the time. Looking for the name locks it, so that
// nobody makes the same link meanwhile.
CREATE (l)-[s:SAME_AS {
  pair: row.pair, status: 'predicted', confidence: row.confidence, score: row.score,
  run: coalesce(row.run, $run), model: coalesce(row.model, $model),
  created_at: coalesce(row.created_at, datetime()), updated_at: coalesce(row.updated_at, datetime())
}]->(r)
WITH collect(s.pair) AS pairs, collect(s.run) AS runs, collect(toString(row.left)) AS left, collect(toString(row.right)) AS right,
     collect(s.confidence) AS confidence
MATCH (run:AlignRun {id: $run}) WHERE size(pairs) > 0
SET run.created = run.created + size(pairs)
CREATE (:AlignChange {id: $change, number: $number, kind: 'created', pairs: pairs, left: left, right: right,
                      runs: CASE WHEN all(other IN runs WHERE other = $run) THEN null ELSE runs END, // an undo's
                      confidence: confidence})-[:IN_RUN]->(run)
