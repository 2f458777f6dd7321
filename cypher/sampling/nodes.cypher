// nodes(side_property, side_value, key, properties) [entity]: the entities of one type and side, with their values
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
RETURN toInteger(split(elementId(n), ':')[2]) AS id, n[$key] AS key, [p IN $properties | n[p]] AS values
