// read(left_label, left_property, left_value, left_key, right_label, right_property, right_value, right_key): the links and verdicts between the two sides
CALL () {
  MATCH (l)-[s:SAME_AS]->(r) WHERE s.pair IS NOT NULL RETURN l, s, r, true AS same
  UNION ALL
  MATCH (l)-[s:NOT_SAME_AS]->(r) WHERE s.pair IS NOT NULL RETURN l, s, r, false AS same
}
WITH l, s, r, same
WHERE ($left_label IS NULL OR $left_label IN labels(l)) AND ($left_property IS NULL OR l[$left_property] = $left_value)
  AND ($right_label IS NULL OR $right_label IN labels(r)) AND ($right_property IS NULL OR r[$right_property] = $right_value)
RETURN s.pair AS pair, l[$left_key] AS left, r[$right_key] AS right, same, s.status AS status,
       s.confidence AS confidence, s.score AS score, s.model AS model
