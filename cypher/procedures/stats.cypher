// stats(left_property, left_value, right_property, right_value, left_types) [left, right]: numbers of links by type, status, confidence and run
// READ stats() :: (type :: STRING, status :: STRING, confidence :: STRING, run :: STRING, links :: INTEGER)
MATCH (l:`{left}`)-[s:SAME_AS]->(r:`{right}`)
WHERE s.pair IS NOT NULL AND ($left_property IS NULL OR l[$left_property] = $left_value)
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
WITH head([type IN keys($left_types) WHERE $left_types[type] IN labels(l)]) AS type, s.status AS status,
     CASE WHEN s.confidence >= 1 THEN 9 ELSE toInteger(10 * s.confidence) END AS band, s.run AS run, count(*) AS links
RETURN type, status, (band / 10.0) + ' to ' + ((band + 1) / 10.0) AS confidence, run, links
ORDER BY type, status, confidence DESC, run
