// count_relationships(side_property, side_value, types) [side]: how many relationships of each type join which types of nodes of a side
MATCH (a:`{side}`)-[r]->(b:`{side}`)
WHERE $side_property IS NULL OR (a[$side_property] = $side_value AND b[$side_property] = $side_value)
RETURN type(r) AS name, head([label IN labels(a) WHERE label IN $types]) AS start,
       head([label IN labels(b) WHERE label IN $types]) AS end, count(*) AS relationships
ORDER BY relationships DESC, name, start, end
