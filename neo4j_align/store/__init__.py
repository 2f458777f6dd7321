"""Everything that talks to Neo4j; may import neo4j, never torch or dgl."""
