// nodes(side_property, side_value, ids, database, key, properties, longest) [entity]: some entities of one type and side, with their values, in one list
UNWIND $ids AS id
MATCH (n:`{entity}`)
WHERE elementId(n) = $database + toString(id) AND ($side_property IS NULL OR n[$side_property] = $side_value)
RETURN collect([id, n[$key], [p IN $properties | CASE WHEN n[p] IS :: STRING THEN left(n[p], $longest) ELSE n[p] END]]) AS entities
