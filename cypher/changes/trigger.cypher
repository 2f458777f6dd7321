// trigger(alignment, labels, relations, assignedLabels, removedLabels, assignedNodeProperties, removedNodeProperties, deletedNodes, createdRelationships, deletedRelationships): what APOC runs in each transaction: write down how much of the two graphs it touches
WITH reduce(sum = 0, label IN $labels | sum + size(coalesce($assignedLabels[label], [])) // created nodes among them
            + size(coalesce($removedLabels[label], []))) // and deleted ones
     + size([r IN $createdRelationships + $deletedRelationships WHERE type(r) IN $relations]) AS others
CALL () {
  UNWIND [key IN keys($assignedNodeProperties) | $assignedNodeProperties[key]] +
         [key IN keys($removedNodeProperties) | $removedNodeProperties[key]] AS changes
  UNWIND changes AS change
  WITH change.node AS node WHERE NOT node IN $deletedNodes AND any(label IN labels(node) WHERE label IN $labels)
  RETURN count(DISTINCT node) AS entities
}
WITH others + entities AS touched WHERE touched > 0
CREATE (:AlignEvent {id: randomUUID(), alignment: $alignment, entities: touched, at: datetime()})
