// averages(side_property, side_value, codes) [entity, relations]: how many entities of a type have neighbours by each relation and direction, and how many neighbours
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
MATCH (n)-[r:`{relations}`]-()
WITH n, CASE WHEN startNode(r) = n THEN $codes[type(r)] ELSE -$codes[type(r)] END AS relation, count(*) AS neighbours
RETURN relation, count(*) AS entities, sum(neighbours) AS neighbours
