// sample_relationships(side_property, side_value, names, shares, longest) [side]: names of both ends, for a share of the relationships of each type
MATCH (a:`{side}`)-[r]->(b:`{side}`)
WHERE $side_property IS NULL OR (a[$side_property] = $side_value AND b[$side_property] = $side_value)
WITH a, r, b, toInteger(split(elementId(r), ':')[2]) % 1000003 AS number
WHERE (number * number + 7 * number) % 1000003 < $shares[type(r)] * 1000003
WITH type(r) AS name,
     left(toStringOrNull(a[$names[head([label IN labels(a) WHERE $names[label] IS NOT NULL])]]), $longest) AS start,
     left(toStringOrNull(b[$names[head([label IN labels(b) WHERE $names[label] IS NOT NULL])]]), $longest) AS end
WHERE start IS NOT NULL AND end IS NOT NULL
RETURN name, collect([start, end]) AS pairs
