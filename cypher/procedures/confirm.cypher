// confirm(left, right, by, note, left_property, left_value, right_property, right_value, left_types, right_types, left_prefix, right_prefix, alignment) [left, right, left_key, right_key]: a person says that two entities are the same; no run changes that
// WRITE confirm(left :: ANY, right :: ANY, by = null :: STRING, note = null :: STRING) :: (pair :: STRING, status :: STRING, contradicts :: LIST OF STRING)
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
          THEN 'not of one type' ELSE 'confirmed' END AS status,
     $left_prefix + replace(replace(replace(toString(l.`{left_key}`), '~', '~~'), ':', '~:'), '|', '~|') + '|' +
     $right_prefix + replace(replace(replace(toString(r.`{right_key}`), '~', '~~'), ':', '~:'), '|', '~|') AS pair
// A name is there once. One that stands elsewhere, since an end has another key by now, gives way if it was predicted.
OPTIONAL MATCH (a)-[stale:SAME_AS {pair: pair}]->(b) WHERE a <> l OR b <> r
WITH l, r, pair, stale,
     CASE WHEN stale IS NULL OR status <> 'confirmed' OR stale.status = 'predicted' THEN status
          ELSE 'its name still stands on a verdict on ' + coalesce(toStringOrNull(a.`{left_key}`), 'no key') + ' and ' +
               coalesce(toStringOrNull(b.`{right_key}`), 'no key') + ', whose keys have changed: withdraw that first' END AS status
FOREACH (gone IN CASE WHEN status = 'confirmed' AND stale IS NOT NULL THEN [stale] ELSE [] END | DELETE gone)
FOREACH (_ IN CASE status WHEN 'confirmed' THEN [1] ELSE [] END |
  MERGE (l)-[s:SAME_AS {pair: pair}]->(r)
  ON CREATE SET s.created_at = datetime()
  SET s.predicted = CASE s.status WHEN 'predicted' THEN s.confidence ELSE s.predicted END,
      s.status = 'confirmed', s.confidence = 1.0, s.decided_by = coalesce($by, s.decided_by),
      s.decided_at = datetime(), s.note = coalesce($note, s.note))
WITH l, r, pair, status, COLLECT {
  MATCH (l)-[other:SAME_AS {status: 'confirmed'}]->(m:`{right}`)
  WHERE other.pair <> pair AND ($right_property IS NULL OR m[$right_property] = $right_value)
  RETURN other.pair AS name
  UNION
  MATCH (r)<-[other:SAME_AS {status: 'confirmed'}]-(m:`{left}`)
  WHERE other.pair <> pair AND ($left_property IS NULL OR m[$left_property] = $left_value)
  RETURN other.pair AS name
} AS others
// Of a type whose entities may have several links, as the last run knew it, none stands against another.
WITH l, r, pair, status, others, CASE WHEN size(others) > 0 THEN head(COLLECT {
  MATCH (run:AlignRun {alignment: $alignment}) WHERE run.many IS NOT NULL RETURN run.many ORDER BY run.started_at DESC LIMIT 1
}) END AS many
RETURN pair, status,
       COLLECT { MATCH (l)-[no:NOT_SAME_AS {pair: pair}]->(r) RETURN 'rejected by ' + coalesce(no.decided_by, 'somebody') } +
       CASE WHEN any(type IN many WHERE coalesce($left_types[type] IN labels(l), false)) THEN []
            ELSE [other IN others | other + ' is confirmed'] END AS contradicts
