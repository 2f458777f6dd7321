// conflicts(left_property, left_value, right_property, right_value, left_types, right_types, alignment) [left, right]: entities with several links where one is allowed, and verdicts that contradict a link or each other
// READ conflicts() :: (kind :: STRING, pairs :: LIST OF STRING, persons :: LIST OF STRING, nodes :: LIST OF NODE)
CALL () {
  OPTIONAL MATCH (run:AlignRun {alignment: $alignment}) WHERE run.many IS NOT NULL
  WITH run ORDER BY run.started_at DESC LIMIT 1
  RETURN coalesce(run.many, []) AS many // types of which an entity may have several links, as the last run knew them
}
CALL (many) {
  MATCH (n:`{left}`)-[s:SAME_AS]->() WITH many, n, count(s) AS several WHERE several > 1
  MATCH (n)-[s:SAME_AS]->(m:`{right}`)
  WHERE s.pair IS NOT NULL AND ($left_property IS NULL OR n[$left_property] = $left_value)
    AND ($right_property IS NULL OR m[$right_property] = $right_value)
    AND NOT any(type IN many WHERE coalesce($left_types[type] IN labels(n), false))
  WITH n, s, m ORDER BY s.pair
  WITH n, collect(s) AS links, collect(m) AS others WHERE size(links) > 1
  RETURN 'several links' AS kind, links, [n] + others AS nodes
  UNION ALL
  MATCH (n:`{right}`)<-[s:SAME_AS]-() WITH many, n, count(s) AS several WHERE several > 1
  MATCH (n)<-[s:SAME_AS]-(m:`{left}`)
  WHERE s.pair IS NOT NULL AND ($right_property IS NULL OR n[$right_property] = $right_value)
    AND ($left_property IS NULL OR m[$left_property] = $left_value)
    AND NOT any(type IN many WHERE coalesce($right_types[type] IN labels(n), false))
  WITH n, s, m ORDER BY s.pair
  WITH n, collect(s) AS links, collect(m) AS others WHERE size(links) > 1
  RETURN 'several links' AS kind, links, [n] + others AS nodes
  UNION ALL
  MATCH (l:`{left}`)-[no:NOT_SAME_AS]->(r:`{right}`)<-[s:SAME_AS]-(l)
  WHERE no.pair IS NOT NULL AND s.pair IS NOT NULL AND ($left_property IS NULL OR l[$left_property] = $left_value)
    AND ($right_property IS NULL OR r[$right_property] = $right_value)
  RETURN CASE s.status WHEN 'confirmed' THEN 'confirmed and rejected' ELSE 'linked and rejected' END AS kind,
         [s, no] AS links, [l, r] AS nodes
}
RETURN kind, [link IN links | link.pair] AS pairs,
       [link IN links WHERE link.decided_by IS NOT NULL | link.decided_by] AS persons, nodes
ORDER BY kind, pairs
