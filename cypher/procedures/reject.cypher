// reject(left, right, by, note, left_property, left_value, right_property, right_value, left_types, right_types, left_prefix, right_prefix) [left, right, left_key, right_key]: a person says that two entities are not the same; a predicted link between them goes at once
// WRITE reject(left :: ANY, right :: ANY, by = null :: STRING, note = null :: STRING) :: (pair :: STRING, status :: STRING, contradicts :: LIST OF STRING)
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH [k IN [toStringOrNull($left), toIntegerOrNull($left)]
      WHERE k = $left OR toString(k) = toStringOrNull($left)] AS left_keys,
     [k IN [toStringOrNull($right), toIntegerOrNull($right)]
      WHERE k = $right OR toString(k) = toStringOrNull($right)] AS right_keys
OPTIONAL MATCH (l:`{left}`) WHERE l.`{left_key}` IN left_keys
  AND ($left_property IS NULL OR l[$left_property] = $left_value)
WITH right_keys, collect(l) AS lefts
OPTIONAL MATCH (r:`{right}`) WHERE r.`{right_key}` IN right_keys
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
WITH lefts, collect(r) AS rights
WITH head(lefts) AS l, head(rights) AS r, size(lefts) AS lefts, size(rights) AS rights
WITH l, r,
     CASE WHEN lefts = 0 THEN 'no such left entity' WHEN rights = 0 THEN 'no such right entity'
          WHEN lefts > 1 THEN 'several left entities have this key'
          WHEN rights > 1 THEN 'several right entities have this key'
          WHEN NOT any(type IN keys($left_types) WHERE $left_types[type] IN labels(l)
                       AND coalesce($right_types[type] IN labels(r), false))
          THEN 'not of one type' ELSE 'rejected' END AS status,
     $left_prefix + replace(replace(replace(toString(l.`{left_key}`), '~', '~~'), ':', '~:'), '|', '~|') + '|' +
     $right_prefix + replace(replace(replace(toString(r.`{right_key}`), '~', '~~'), ':', '~:'), '|', '~|') AS pair
// A name is there once, also where an end has another key by now.
OPTIONAL MATCH (a)-[stale:NOT_SAME_AS {pair: pair}]->(b) WHERE a <> l OR b <> r
WITH l, r, pair,
     CASE WHEN stale IS NULL OR status <> 'rejected' THEN status
          ELSE 'its name still stands on a verdict on ' + coalesce(toStringOrNull(a.`{left_key}`), 'no key') + ' and ' +
               coalesce(toStringOrNull(b.`{right_key}`), 'no key') + ', whose keys have changed: withdraw that first' END AS status
OPTIONAL MATCH (l)-[same:SAME_AS {pair: pair}]->(r)
WITH l, r, status, pair, same, CASE same.status WHEN 'predicted' THEN properties(same) ELSE {} END AS was
// The link's values stay with the verdict: withdrawn, it can bring the link back.
FOREACH (_ IN CASE status WHEN 'rejected' THEN [1] ELSE [] END |
  MERGE (l)-[no:NOT_SAME_AS {pair: pair}]->(r)
  SET no.decided_by = coalesce($by, no.decided_by), no.decided_at = datetime(), no.note = coalesce($note, no.note),
      no.was_confidence = coalesce(was.confidence, no.was_confidence), no.was_score = coalesce(was.score, no.was_score),
      no.was_run = coalesce(was.run, no.was_run), no.was_model = coalesce(was.model, no.was_model),
      no.was_created_at = coalesce(was.created_at, no.was_created_at),
      no.was_updated_at = coalesce(was.updated_at, no.was_updated_at))
FOREACH (gone IN CASE WHEN status = 'rejected' AND same.status = 'predicted' THEN [same] ELSE [] END | DELETE gone)
RETURN pair, status,
       COLLECT { MATCH (l)-[yes:SAME_AS {pair: pair, status: 'confirmed'}]->(r)
                 RETURN 'confirmed by ' + coalesce(yes.decided_by, 'somebody') } AS contradicts
