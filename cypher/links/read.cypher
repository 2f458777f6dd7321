// read(left_prefix, right_prefix, left_key, right_key): the links and verdicts of an alignment, whatever became of their ends
CALL () {
  MATCH (l)-[s:SAME_AS]->(r) WHERE s.pair STARTS WITH $left_prefix AND s.pair CONTAINS '|' + $right_prefix
  RETURN l, s, r, true AS same
  UNION ALL
  MATCH (l)-[s:NOT_SAME_AS]->(r) WHERE s.pair STARTS WITH $left_prefix AND s.pair CONTAINS '|' + $right_prefix
  RETURN l, s, r, false AS same
}
RETURN s.pair AS pair, l[$left_key] AS left, r[$right_key] AS right, same, s.status AS status,
       s.confidence AS confidence, s.score AS score, coalesce(s.predicted, s.was_confidence) AS thought,
       coalesce(s.model, s.was_model) AS model,
       [n IN [l, r] | toInteger(split(elementId(n), ':')[2])] AS ends
