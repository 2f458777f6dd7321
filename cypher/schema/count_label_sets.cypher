// count_label_sets(side_property): which labels nodes have together, by the value of the property that tells the sides apart
MATCH (n)
RETURN labels(n) AS labels, n[$side_property] AS value, count(*) AS nodes
ORDER BY nodes DESC
LIMIT 100000
