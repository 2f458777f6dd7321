// since(side_property, side_value, bound) [entity, property, key]: the entities that changed since, in lists, since a record takes as long as a hundred numbers
MATCH (n:`{entity}`) WHERE n.`{property}` >= $bound AND ($side_property IS NULL OR n[$side_property] = $side_value)
WITH n, toInteger(split(elementId(n), ':')[2]) AS id
RETURN id / 10000 AS batch, collect(id) AS ids, collect(coalesce(toString(n.`{key}`), '')) AS keys,
       collect(toString(n.`{property}`)) AS times
