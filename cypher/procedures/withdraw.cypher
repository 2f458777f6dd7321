// withdraw(left, right, left_property, left_value, right_property, right_value) [left, right, left_key, right_key]: take the verdicts on a pair back; what the machine had predicted stands again, if nothing else took its place
// WRITE withdraw(left :: ANY, right :: ANY) :: (pair :: STRING, withdrawn :: STRING, link :: BOOLEAN)
MATCH (l:`{left}`) WHERE l.`{left_key}` IN [$left, toStringOrNull($left), toIntegerOrNull($left)]
  AND ($left_property IS NULL OR l[$left_property] = $left_value)
MATCH (r:`{right}`) WHERE r.`{right_key}` IN [$right, toStringOrNull($right), toIntegerOrNull($right)]
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
MATCH (l)-[verdict:SAME_AS|NOT_SAME_AS]->(r)
WHERE verdict.pair IS NOT NULL AND (type(verdict) = 'NOT_SAME_AS' OR verdict.status = 'confirmed')
WITH l, r, verdict, verdict.pair AS pair, properties(verdict) AS was, type(verdict) AS kind
WITH l, r, verdict, pair, was, kind, CASE kind WHEN 'NOT_SAME_AS' THEN 'rejection' ELSE 'confirmation' END AS withdrawn,
     CASE kind WHEN 'NOT_SAME_AS' THEN was.was_run IS NOT NULL AND NOT EXISTS { (l)-[:SAME_AS]-() } AND NOT EXISTS { (r)-[:SAME_AS]-() }
               ELSE was.predicted IS NOT NULL END AS link
FOREACH (kept IN CASE WHEN kind = 'SAME_AS' AND link THEN [verdict] ELSE [] END |
  SET kept.status = 'predicted', kept.confidence = was.predicted
  REMOVE kept.predicted, kept.decided_by, kept.decided_at, kept.note)
FOREACH (gone IN CASE WHEN kind = 'SAME_AS' AND link THEN [] ELSE [verdict] END | DELETE gone)
FOREACH (_ IN CASE WHEN kind = 'NOT_SAME_AS' AND link THEN [1] ELSE [] END |
  MERGE (l)-[s:SAME_AS {pair: pair}]->(r)
  SET s.status = 'predicted', s.confidence = was.was_confidence, s.score = was.was_score, s.run = was.was_run,
      s.model = was.was_model, s.created_at = was.was_created_at, s.updated_at = was.was_updated_at)
RETURN pair, withdrawn, link
ORDER BY withdrawn
