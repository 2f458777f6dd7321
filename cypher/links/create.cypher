// create(rows, left_key, right_key, left_prefix, right_prefix, run, model, change, number): write predicted links and what was written; an end that is gone, became another node or was judged by a person, and a name that a verdict has whose end has another key by now, is passed over
UNWIND $rows AS row
// Not STARTS WITH: before the first link the planner would seek all pairs in the index, for every row.
MATCH (l) WHERE elementId(l) = row.left_id AND l[$left_key] = row.left
MATCH (r) WHERE elementId(r) = row.right_id AND r[$right_key] = row.right
  AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
  AND NOT (row.alone AND EXISTS {
    (l)-[c:SAME_AS {status: 'confirmed'}]->() WHERE left(c.pair, size($left_prefix)) = $left_prefix AND c.pair CONTAINS '|' + $right_prefix })
  AND NOT (row.alone AND EXISTS {
    (r)<-[c:SAME_AS {status: 'confirmed'}]-() WHERE left(c.pair, size($left_prefix)) = $left_prefix AND c.pair CONTAINS '|' + $right_prefix })
  AND NOT EXISTS { MATCH (a)-[:SAME_AS {pair: row.pair}]->(b) WHERE a <> l OR b <> r }
MERGE (l)-[s:SAME_AS {pair: row.pair}]->(r)
ON CREATE SET s.status = 'predicted', s.confidence = row.confidence, s.score = row.score,
              s.run = coalesce(row.run, $run), s.model = coalesce(row.model, $model),
              s.created_at = coalesce(row.created_at, datetime()), s.updated_at = coalesce(row.updated_at, datetime())
WITH s, row WHERE s.run = coalesce(row.run, $run)
WITH collect(s.pair) AS pairs, collect(s.run) AS runs, collect(toString(row.left)) AS left, collect(toString(row.right)) AS right,
     collect(s.confidence) AS confidence
MATCH (run:AlignRun {id: $run}) WHERE size(pairs) > 0
SET run.created = run.created + size(pairs)
CREATE (:AlignChange {id: $change, number: $number, kind: 'created', pairs: pairs, left: left, right: right,
                      runs: CASE WHEN all(other IN runs WHERE other = $run) THEN null ELSE runs END, // an undo's
                      confidence: confidence})-[:IN_RUN]->(run)
