// verdicts_on(pair): the verdicts on a pair
CALL () {
  MATCH ()-[v:SAME_AS {pair: $pair}]->() WHERE v.status = 'confirmed'
  RETURN v, 'confirmed' AS verdict
  UNION ALL
  MATCH ()-[v:NOT_SAME_AS {pair: $pair}]->()
  RETURN v, 'rejected' AS verdict
}
RETURN verdict, v.decided_by AS by, toString(v.decided_at) AS at, v.note AS note
ORDER BY verdict
