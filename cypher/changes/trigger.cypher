// trigger(alignment, labels, relations, most, assignedLabels, removedLabels, assignedNodeProperties, removedNodeProperties, deletedNodes, createdRelationships, deletedRelationships): what APOC runs in each transaction: write down which nodes of the two graphs it touches, or only how many where they are very many
WITH reduce(found = [], label IN $labels | found + coalesce($assignedLabels[label], []) // created nodes among them
            + coalesce($removedLabels[label], [])) // and deleted ones
     + reduce(found = [], r IN [r IN $createdRelationships + $deletedRelationships WHERE type(r) IN $relations] |
              found + [startNode(r), endNode(r)]) AS others
CALL () {
  UNWIND [key IN keys($assignedNodeProperties) | $assignedNodeProperties[key]] +
         [key IN keys($removedNodeProperties) | $removedNodeProperties[key]] AS changes
  UNWIND changes AS change
  WITH change.node AS node // a deleted node has no labels to ask for, and predicates joined by AND have no order
  WHERE CASE WHEN node IN $deletedNodes THEN false ELSE any(label IN labels(node) WHERE label IN $labels) END
  RETURN collect(DISTINCT node) AS entities
}
UNWIND others + entities AS node
WITH collect(DISTINCT toInteger(split(elementId(node), ':')[2])) AS ids
WHERE size(ids) > 0
CREATE (:AlignEvent {id: randomUUID(), alignment: $alignment, entities: size(ids), at: datetime(),
                     ids: CASE WHEN size(ids) <= $most THEN ids END})
