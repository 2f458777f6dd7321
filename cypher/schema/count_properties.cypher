// count_properties(side_property, side_value, properties) [entity]: how many nodes of a type there are (the row without a name), and how many have each property
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
UNWIND [null] + $properties AS name
RETURN name, count(CASE WHEN name IS NULL OR n[name] IS NOT NULL THEN 1 END) AS nodes
