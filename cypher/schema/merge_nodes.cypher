// merge_nodes(rows) [side, type]: creates or updates the nodes of one type of a loaded graph
UNWIND $rows AS row
MERGE (n:`{side}` {uid: row.uid})
SET n:`{type}`, n += row.properties
