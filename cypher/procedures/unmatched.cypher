// unmatched(side, type, left_property, left_value, right_property, right_value, left_types, right_types) [left, right, left_key, right_key]: the entities of a type on one side that have no link
// READ unmatched(side :: STRING, type :: STRING) :: (key :: ANY, node :: NODE)
CALL () {
  MATCH (n:`{left}`) WHERE $side = 'left' AND $left_types[$type] IN labels(n)
    AND ($left_property IS NULL OR n[$left_property] = $left_value)
    AND NOT EXISTS { MATCH (n)-[s:SAME_AS]->(m:`{right}`) WHERE s.pair IS NOT NULL
                       AND ($right_property IS NULL OR m[$right_property] = $right_value) }
  RETURN n.`{left_key}` AS key, n AS node
  UNION ALL
  MATCH (n:`{right}`) WHERE $side = 'right' AND $right_types[$type] IN labels(n)
    AND ($right_property IS NULL OR n[$right_property] = $right_value)
    AND NOT EXISTS { MATCH (n)<-[s:SAME_AS]-(m:`{left}`) WHERE s.pair IS NOT NULL
                       AND ($left_property IS NULL OR m[$left_property] = $left_value) }
  RETURN n.`{right_key}` AS key, n AS node
}
RETURN key, node
