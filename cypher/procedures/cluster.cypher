// cluster(key, confidence, left_property, left_value, right_property, right_value) [left, right, left_key, right_key]: all nodes that confirmed or confident links join to an entity, itself included
// READ cluster(key :: ANY, confidence = 0.9 :: FLOAT) :: (side :: STRING, key :: ANY, node :: NODE)
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH [k IN [toStringOrNull($key), toIntegerOrNull($key)] WHERE k = $key OR toString(k) = toStringOrNull($key)] AS keys
CALL (keys) {
  MATCH (n:`{left}`) WHERE n.`{left_key}` IN keys
    AND ($left_property IS NULL OR n[$left_property] = $left_value)
  RETURN n
  UNION
  MATCH (n:`{right}`) WHERE n.`{right_key}` IN keys
    AND ($right_property IS NULL OR n[$right_property] = $right_value)
  RETURN n
}
MATCH SHORTEST 1 (n)
  (()-[s:SAME_AS WHERE s.pair IS NOT NULL AND (s.status = 'confirmed' OR s.confidence >= $confidence)]-())* (m)
WITH DISTINCT m
WITH m, m:`{left}` AND ($left_property IS NULL OR m[$left_property] = $left_value) AS is_left
RETURN CASE WHEN is_left THEN 'left' ELSE 'right' END AS side,
       CASE WHEN is_left THEN m.`{left_key}` ELSE m.`{right_key}` END AS key, m AS node
ORDER BY side, key
