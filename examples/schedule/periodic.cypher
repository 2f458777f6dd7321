// Neo4j submits a sync every 900 seconds; `neo4j-align worker` does it. Stop it with: CALL apoc.periodic.cancel('neo4j-align-sync')
CALL apoc.periodic.repeat('neo4j-align-sync',
  'CALL custom.align.submit("sync") YIELD id
   RETURN id', 900)
YIELD name, rate
RETURN name, rate
