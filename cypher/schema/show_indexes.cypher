// show_indexes(): range indexes of nodes and relationships, those behind uniqueness and key constraints included
SHOW INDEXES YIELD type, entityType, labelsOrTypes, properties, owningConstraint
WHERE type = 'RANGE'
RETURN entityType = 'NODE' AS of_nodes, labelsOrTypes[0] AS name, properties, owningConstraint IS NOT NULL AS unique
