// find(rows, left_property, left_value, right_property, right_value, left_types, left_prefix, right_prefix, many) [left, right, left_key, right_key]: what stands of some pairs by now: a link, a rejection, their ends, and other links of these
UNWIND $rows AS row
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH row, [k IN [row.left, toIntegerOrNull(row.left)] WHERE toString(k) = row.left] AS left_keys,
     [k IN [row.right, toIntegerOrNull(row.right)] WHERE toString(k) = row.right] AS right_keys
OPTIONAL MATCH ()-[same:SAME_AS {pair: row.pair}]->()
OPTIONAL MATCH (l:`{left}`) WHERE l.`{left_key}` IN left_keys AND ($left_property IS NULL OR l[$left_property] = $left_value)
OPTIONAL MATCH (r:`{right}`) WHERE r.`{right_key}` IN right_keys
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
RETURN row.pair AS pair, same.status AS status, same.run AS run, same.decided_by AS confirmed_by,
       elementId(l) AS left_id, elementId(r) AS right_id, l.`{left_key}` AS left, r.`{right_key}` AS right,
       head(COLLECT { MATCH (l)-[no:NOT_SAME_AS {pair: row.pair}]->(r) RETURN coalesce(no.decided_by, 'somebody') }) AS rejected_by,
       COLLECT { MATCH (l)-[other:SAME_AS]->() WHERE other.pair <> row.pair AND other.pair STARTS WITH $left_prefix
                 AND other.pair CONTAINS '|' + $right_prefix RETURN other.pair } +
       COLLECT { MATCH ()-[other:SAME_AS]->(r) WHERE other.pair <> row.pair AND other.pair STARTS WITH $left_prefix
                 AND other.pair CONTAINS '|' + $right_prefix RETURN other.pair } AS others,
       head([type IN keys($left_types) WHERE $left_types[type] IN labels(l)]) IN $many AS many
