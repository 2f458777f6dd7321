// retire(rows, left_key, right_key, run, change, number): remove predicted links and record their values; a confirmed link is left as it is
UNWIND $rows AS pair
MATCH (l)-[s:SAME_AS {pair: pair}]->(r)
WHERE s.status = 'predicted'
// collect() passes over nulls; in these lists each link has its place.
WITH collect(s) AS links, collect(s.pair) AS pairs, collect(coalesce(toString(l[$left_key]), '')) AS left,
     collect(coalesce(toString(r[$right_key]), '')) AS right, collect(coalesce(s.confidence, 0.0)) AS confidence,
     collect(coalesce(s.score, 0.0)) AS score, collect(coalesce(s.run, '')) AS runs,
     collect(coalesce(s.model, '')) AS model, collect(coalesce(s.created_at, datetime())) AS created_at,
     collect(coalesce(s.updated_at, datetime())) AS updated_at
MATCH (run:AlignRun {id: $run}) WHERE size(pairs) > 0
SET run.retired = run.retired + size(pairs)
FOREACH (link IN links | DELETE link)
CREATE (:AlignChange {id: $change, number: $number, kind: 'retired', pairs: pairs, left: left, right: right,
                      was_confidence: confidence, was_score: score, was_run: runs, was_model: model,
                      was_created_at: created_at, was_updated_at: updated_at})-[:IN_RUN]->(run)
