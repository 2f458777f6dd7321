// confirm(left, right, by, note, left_property, left_value, right_property, right_value, left_types, right_types, left_prefix, right_prefix) [left, right, left_key, right_key]: a person says that two entities are the same; no run changes that
// WRITE confirm(left :: ANY, right :: ANY, by = null :: STRING, note = null :: STRING) :: (pair :: STRING, status :: STRING, contradicts :: LIST OF STRING)
OPTIONAL MATCH (l:`{left}`) WHERE l.`{left_key}` IN [$left, toStringOrNull($left), toIntegerOrNull($left)]
  AND ($left_property IS NULL OR l[$left_property] = $left_value)
OPTIONAL MATCH (r:`{right}`) WHERE r.`{right_key}` IN [$right, toStringOrNull($right), toIntegerOrNull($right)]
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
WITH l, r,
     CASE WHEN l IS NULL THEN 'no such left entity' WHEN r IS NULL THEN 'no such right entity'
          WHEN NOT any(type IN keys($left_types) WHERE $left_types[type] IN labels(l) AND $right_types[type] IN labels(r))
          THEN 'not of one type' ELSE 'confirmed' END AS status,
     $left_prefix + replace(replace(replace(toString(l.`{left_key}`), '~', '~~'), ':', '~:'), '|', '~|') + '|' +
     $right_prefix + replace(replace(replace(toString(r.`{right_key}`), '~', '~~'), ':', '~:'), '|', '~|') AS pair
FOREACH (_ IN CASE status WHEN 'confirmed' THEN [1] ELSE [] END |
  MERGE (l)-[s:SAME_AS {pair: pair}]->(r)
  ON CREATE SET s.created_at = datetime()
  SET s.predicted = CASE s.status WHEN 'predicted' THEN s.confidence ELSE s.predicted END,
      s.status = 'confirmed', s.confidence = 1.0, s.decided_by = $by, s.decided_at = datetime(), s.note = $note)
RETURN pair, status,
       COLLECT { MATCH (l)-[no:NOT_SAME_AS {pair: pair}]->(r) RETURN 'rejected by ' + coalesce(no.decided_by, 'somebody') } +
       COLLECT { MATCH (n)-[other:SAME_AS {status: 'confirmed'}]-() WHERE n IN [l, r] AND other.pair <> pair
                 // Of a type whose entities may have several links, as the last run knew it, none stands against another.
                 AND NOT any(type IN coalesce(head(COLLECT { MATCH (run:AlignRun) WHERE run.many IS NOT NULL
                                                    RETURN run.many ORDER BY run.started_at DESC LIMIT 1 }), [])
                             WHERE $left_types[type] IN labels(l))
                 RETURN DISTINCT other.pair + ' is confirmed' } AS contradicts
