// since(side_property, side_value, bound) [entity, property, key]: the entities that changed since
MATCH (n:`{entity}`) WHERE n.`{property}` >= $bound AND ($side_property IS NULL OR n[$side_property] = $side_value)
RETURN toString(n.`{key}`) AS key, toString(n.`{property}`) AS at, toInteger(split(elementId(n), ':')[2]) AS id
