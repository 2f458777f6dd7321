// review_queue(type, limit, left_property, left_value, right_property, right_value, left_types) [left, right, left_key, right_key]: predicted links to check by a person, those first that are uncertain and have many neighbours to teach
// READ review_queue(type = null :: STRING, limit = 25 :: INTEGER) :: (left :: ANY, right :: ANY, confidence :: FLOAT, neighbours :: INTEGER, pair :: STRING, left_node :: NODE, right_node :: NODE)
MATCH (l:`{left}`)-[s:SAME_AS]->(r:`{right}`)
WHERE s.pair IS NOT NULL AND s.status = 'predicted' AND ($left_property IS NULL OR l[$left_property] = $left_value)
  AND ($right_property IS NULL OR r[$right_property] = $right_value)
  AND ($type IS NULL OR $left_types[$type] IN labels(l))
WITH l, s, r, COUNT { (l)--() } + COUNT { (r)--() } - 2 AS neighbours
ORDER BY s.confidence * (1 - s.confidence) * log(2 + neighbours) DESC, s.pair LIMIT $limit
RETURN l.`{left_key}` AS left, r.`{right_key}` AS right, s.confidence AS confidence, neighbours, s.pair AS pair,
       l AS left_node, r AS right_node
