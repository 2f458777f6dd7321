// merge_relationships(rows) [side, type]: creates the missing relationships of one type of a loaded graph
UNWIND $rows AS row
MATCH (source:`{side}` {uid: row[0]})
MATCH (target:`{side}` {uid: row[1]})
MERGE (source)-[:`{type}`]->(target)
