// same_as(key, left_property, left_value, right_property, right_value) [left, right, left_key, right_key]: the links of an entity of either side, surest first
// READ same_as(key :: ANY) :: (side :: STRING, other :: ANY, node :: NODE, confidence :: FLOAT, status :: STRING, run :: STRING, model :: STRING, pair :: STRING)
CALL () {
  MATCH (n:`{left}`) WHERE n.`{left_key}` IN [$key, toStringOrNull($key), toIntegerOrNull($key)]
    AND ($left_property IS NULL OR n[$left_property] = $left_value)
  MATCH (n)-[s:SAME_AS]->(m) WHERE s.pair IS NOT NULL
  RETURN 'left' AS side, s, m, m.`{right_key}` AS other
  UNION ALL
  MATCH (n:`{right}`) WHERE n.`{right_key}` IN [$key, toStringOrNull($key), toIntegerOrNull($key)]
    AND ($right_property IS NULL OR n[$right_property] = $right_value)
  MATCH (n)<-[s:SAME_AS]-(m) WHERE s.pair IS NOT NULL
  RETURN 'right' AS side, s, m, m.`{left_key}` AS other
}
RETURN side, other, m AS node, s.confidence AS confidence, s.status AS status, s.run AS run, s.model AS model,
       s.pair AS pair
ORDER BY status, confidence DESC, pair
