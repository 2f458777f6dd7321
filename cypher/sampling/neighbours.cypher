// neighbours(ids, database, codes): every neighbour of some nodes by the mapped relations, each node expanded once; three lists with a place for each relationship
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = $database + toString(id)
MATCH (n)-[r]-(m)
WITH id, m, $codes[type(r)] * CASE WHEN startNode(r) = n THEN 1 ELSE -1 END AS relation
WHERE relation IS NOT NULL
RETURN collect(id) AS owners, collect(relation) AS relations, collect(toInteger(split(elementId(m), ':')[2])) AS neighbours
