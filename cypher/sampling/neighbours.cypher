// neighbours(ids, database, codes) [relations]: every neighbour of some nodes, each node expanded once
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = $database + toString(id)
MATCH (n)-[r:`{relations}`]-(m)
RETURN id,
       collect(CASE WHEN startNode(r) = n THEN $codes[type(r)] ELSE -$codes[type(r)] END) AS relations,
       collect(toInteger(split(elementId(m), ':')[2])) AS neighbours
