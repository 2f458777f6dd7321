// verdicts(left_prefix, right_prefix, left_key, right_key): all verdicts of an alignment, newest first
CALL () {
  MATCH (l)-[v:SAME_AS]->(r)
  WHERE v.decided_at IS NOT NULL AND v.status = 'confirmed' AND v.pair STARTS WITH $left_prefix
    AND v.pair CONTAINS '|' + $right_prefix
  RETURN l, v, r, 'confirmed' AS verdict
  UNION ALL
  MATCH (l)-[v:NOT_SAME_AS]->(r) WHERE v.pair STARTS WITH $left_prefix AND v.pair CONTAINS '|' + $right_prefix
  RETURN l, v, r, 'rejected' AS verdict
}
RETURN l[$left_key] AS left, r[$right_key] AS right, verdict, v.decided_by AS by, toString(v.decided_at) AS at, v.note AS note
ORDER BY v.decided_at DESC, v.pair, verdict
