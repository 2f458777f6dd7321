// update(rows, left_key, right_key, run, model, change, number): give predicted links their new values and record the old ones; what a person judged is left as it is
UNWIND $rows AS row // pair, confidence, score, run, model, created_at (which stays), updated_at
MATCH (l)-[s:SAME_AS {pair: row[0]}]->(r)
WHERE s.status = 'predicted' AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
// collect() passes over nulls; in these lists each link has its place.
WITH s, row, coalesce(toString(l[$left_key]), '') AS left, coalesce(toString(r[$right_key]), '') AS right,
     coalesce(s.confidence, 0.0) AS confidence, coalesce(s.score, 0.0) AS score, coalesce(s.run, '') AS run,
     coalesce(s.model, '') AS model, coalesce(s.created_at, datetime()) AS created_at,
     coalesce(s.updated_at, datetime()) AS updated_at
SET s.confidence = row[1], s.score = row[2], s.run = coalesce(row[3], $run), s.model = coalesce(row[4], $model),
    s.updated_at = coalesce(row[6], datetime())
WITH collect(s.pair) AS pairs, collect(s.run) AS runs, collect(left) AS left, collect(right) AS right, collect(s.confidence) AS confidence,
     collect(confidence) AS was_confidence, collect(score) AS was_score, collect(run) AS was_run,
     collect(model) AS was_model, collect(created_at) AS was_created_at, collect(updated_at) AS was_updated_at
MATCH (run:AlignRun {id: $run}) WHERE size(pairs) > 0
SET run.updated = run.updated + size(pairs)
CREATE (:AlignChange {id: $change, number: $number, kind: 'updated', pairs: pairs, left: left, right: right,
                      runs: CASE WHEN all(other IN runs WHERE other = $run) THEN null ELSE runs END, // an undo's
                      confidence: confidence, was_confidence: was_confidence, was_score: was_score, was_run: was_run,
                      was_model: was_model, was_created_at: was_created_at, was_updated_at: was_updated_at})
       -[:IN_RUN]->(run)
