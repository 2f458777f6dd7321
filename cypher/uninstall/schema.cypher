// schema(): the tool's constraints, and its indexes that no constraint owns
SHOW INDEXES YIELD name, owningConstraint, type
WHERE name STARTS WITH 'align_' AND type <> 'LOOKUP'
RETURN name, owningConstraint IS NOT NULL AS is_constraint
ORDER BY name
