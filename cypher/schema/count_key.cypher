// count_key(side_property, side_value, key) [entity]: how many nodes have the key, how many different ones there are, and how many can be none
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
RETURN count(n) AS nodes, count(n[$key]) AS present, count(DISTINCT n[$key]) AS different,
  count(CASE WHEN NOT (n[$key] IS :: STRING | INTEGER) THEN 1 END) AS unfit
