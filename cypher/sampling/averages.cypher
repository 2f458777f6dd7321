// averages(side_property, side_value, codes) [entity]: how many entities of a type have neighbours by each relation and direction, and how many neighbours
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
CALL (n) {
  MATCH (n)-[r]-()
  WITH $codes[type(r)] * CASE WHEN startNode(r) = n THEN 1 ELSE -1 END AS relation
  WHERE relation IS NOT NULL
  RETURN relation, count(*) AS neighbours
}
RETURN relation, count(*) AS entities, sum(neighbours) AS neighbours
