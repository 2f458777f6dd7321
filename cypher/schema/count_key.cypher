// count_key(side_property, side_value, key) [entity]: how many nodes have the key, and how many different ones there are
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
RETURN count(n) AS nodes, count(n[$key]) AS present, count(DISTINCT n[$key]) AS different
