// count(side_property, side_value) [entity]: how many entities one type and side has
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
RETURN count(n) AS entities
