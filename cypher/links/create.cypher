// create(rows, left_key, right_key, left_prefix, right_prefix, run, model, change, number): write predicted links and what was written; an end that is gone, became another node or was judged by a person is passed over
UNWIND $rows AS row
WITH row[0] AS pair, row[1] AS confidence, row[2] AS score, row[3] AS run, row[4] AS model, row[5] AS created_at,
     row[6] AS updated_at, row[7] AS left, row[8] AS right, row[9] AS left_id, row[10] AS right_id, row[11] AS alone
// Neither STARTS WITH nor CONTAINS of a property: the planner may go through all pairs in the index, for every row, and
// did so with the former before the first link.
MATCH (l) WHERE elementId(l) = left_id AND l[$left_key] = left
MATCH (r) WHERE elementId(r) = right_id AND r[$right_key] = right
  AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
  AND NOT (alone AND EXISTS {
    (l)-[c:SAME_AS {status: 'confirmed'}]->() WHERE left(toStringOrNull(c.pair), size($left_prefix)) = $left_prefix AND toStringOrNull(c.pair) CONTAINS '|' + $right_prefix })
  AND NOT (alone AND EXISTS {
    (r)<-[c:SAME_AS {status: 'confirmed'}]-() WHERE left(toStringOrNull(c.pair), size($left_prefix)) = $left_prefix AND toStringOrNull(c.pair) CONTAINS '|' + $right_prefix })
// Neither MERGE nor a look for the name: the constraint refuses one that a link has already.
CREATE (l)-[s:SAME_AS {
  pair: pair, status: 'predicted', confidence: confidence, score: score, run: coalesce(run, $run),
  model: coalesce(model, $model), created_at: coalesce(created_at, datetime()),
  updated_at: coalesce(updated_at, datetime())
}]->(r)
WITH collect(s.pair) AS pairs, collect(s.run) AS runs, collect(toString(left)) AS left, collect(toString(right)) AS right,
     collect(s.confidence) AS confidence
MATCH (run:AlignRun {id: $run}) WHERE size(pairs) > 0
SET run.created = run.created + size(pairs)
CREATE (:AlignChange {id: $change, number: $number, kind: 'created', pairs: pairs, left: left, right: right,
                      runs: CASE WHEN all(other IN runs WHERE other = $run) THEN null ELSE runs END, // an undo's
                      confidence: confidence})-[:IN_RUN]->(run)
