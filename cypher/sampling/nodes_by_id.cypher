// nodes_by_id(side_property, side_value, key, properties, ids, database) [entity]: those of some nodes that are entities of one type and side
UNWIND $ids AS number
MATCH (n:`{entity}`) WHERE elementId(n) = $database + toString(number)
 AND ($side_property IS NULL OR n[$side_property] = $side_value)
RETURN number AS id, n[$key] AS key, [p IN $properties | n[p]] AS values
