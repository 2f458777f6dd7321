// withdraw(left, right, by, left_property, left_value, right_property, right_value, left_types, alignment) [left, right, left_key, right_key]: take the verdicts on a pair back, those of everybody or of one person; what the machine had predicted stands again, if nothing else took its place
// WRITE withdraw(left :: ANY, right :: ANY, by = null :: STRING) :: (pair :: STRING, withdrawn :: STRING, link :: BOOLEAN)
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH [k IN [toStringOrNull($left), toIntegerOrNull($left)]
      WHERE k = $left OR toString(k) = toStringOrNull($left)] AS left_keys,
     [k IN [toStringOrNull($right), toIntegerOrNull($right)]
      WHERE k = $right OR toString(k) = toStringOrNull($right)] AS right_keys
MATCH (l:`{left}`) WHERE l.`{left_key}` IN left_keys
  AND ($left_property IS NULL OR l[$left_property] = $left_value)
MATCH (r:`{right}`) WHERE r.`{right_key}` IN right_keys
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
MATCH (l)-[verdict:SAME_AS|NOT_SAME_AS]->(r)
WHERE verdict.pair IS NOT NULL AND (type(verdict) = 'NOT_SAME_AS' OR verdict.status = 'confirmed')
  AND ($by IS NULL OR verdict.decided_by = $by)
WITH l, r, verdict, verdict.pair AS pair, properties(verdict) AS was, type(verdict) AS kind, EXISTS {
  MATCH (l)-[other:SAME_AS]->(m:`{right}`)
  WHERE other.pair <> verdict.pair AND ($right_property IS NULL OR m[$right_property] = $right_value)
} OR EXISTS {
  MATCH (r)<-[other:SAME_AS]-(m:`{left}`)
  WHERE other.pair <> verdict.pair AND ($left_property IS NULL OR m[$left_property] = $left_value)
} AS other
// Of a type whose entities may have several links, as the last run knew it, none takes another's place.
WITH l, r, verdict, pair, was, kind, other AND NOT any(type IN coalesce(head(COLLECT {
  MATCH (run:AlignRun {alignment: $alignment}) WHERE run.many IS NOT NULL RETURN run.many ORDER BY run.started_at DESC LIMIT 1
}), []) WHERE coalesce($left_types[type] IN labels(l), false)) AS taken
WITH l, r, verdict, pair, was, kind, CASE kind WHEN 'NOT_SAME_AS' THEN 'rejection' ELSE 'confirmation' END AS withdrawn,
     CASE kind WHEN 'NOT_SAME_AS' THEN was.was_run IS NOT NULL AND NOT taken AND NOT EXISTS {
       MATCH (a)-[:SAME_AS {pair: pair}]->(b) WHERE a <> l OR b <> r // its name, since an end has another key by now
     } ELSE was.predicted IS NOT NULL END AS link
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
