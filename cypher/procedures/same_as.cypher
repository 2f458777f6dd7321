// same_as(key, left_property, left_value, right_property, right_value) [left, right, left_key, right_key]: the links of an entity of either side, surest first
// READ same_as(key :: ANY) :: (side :: STRING, other :: ANY, node :: NODE, confidence :: FLOAT, status :: STRING, run :: STRING, model :: STRING, pair :: STRING)
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH [k IN [toStringOrNull($key), toIntegerOrNull($key)] WHERE k = $key OR toString(k) = toStringOrNull($key)] AS keys
CALL (keys) {
  MATCH (n:`{left}`)-[s:SAME_AS]->(m:`{right}`)
  WHERE n.`{left_key}` IN keys AND s.pair IS NOT NULL
    AND ($left_property IS NULL OR n[$left_property] = $left_value)
    AND ($right_property IS NULL OR m[$right_property] = $right_value)
  RETURN 'left' AS side, s, m, m.`{right_key}` AS other
  UNION ALL
  MATCH (n:`{right}`)<-[s:SAME_AS]-(m:`{left}`)
  WHERE n.`{right_key}` IN keys AND s.pair IS NOT NULL
    AND ($right_property IS NULL OR n[$right_property] = $right_value)
    AND ($left_property IS NULL OR m[$left_property] = $left_value)
  RETURN 'right' AS side, s, m, m.`{left_key}` AS other
}
RETURN side, other, m AS node, s.confidence AS confidence, s.status AS status, s.run AS run, s.model AS model,
       s.pair AS pair
ORDER BY status, confidence DESC, pair
