// ids(side_property, side_value, part, parts) [entity]: the internal numbers of the entities of one type and side, one part of them
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
WITH toInteger(split(elementId(n), ':')[2]) AS id
WHERE id % $parts = $part
RETURN collect(id) AS ids
