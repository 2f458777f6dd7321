// entity(key, left_property, left_value, right_property, right_value, left_attributes, right_attributes, left_key_name, right_key_name) [left, right, left_key, right_key]: an entity with its counterparts, the attributes of all of them merged for reading, and where they disagree
// READ entity(key :: ANY) :: (side :: STRING, node :: NODE, counterparts :: LIST OF MAP, attributes :: LIST OF MAP, conflicts :: LIST OF STRING)
// A key is found as text and as a whole number, but 7.5 is not 7.
WITH [k IN [toStringOrNull($key), toIntegerOrNull($key)] WHERE k = $key OR toString(k) = toStringOrNull($key)] AS keys
CALL (keys) {
  MATCH (n:`{left}`) WHERE n.`{left_key}` IN keys
    AND ($left_property IS NULL OR n[$left_property] = $left_value)
  OPTIONAL MATCH (n)-[s:SAME_AS]->(m:`{right}`)
  WHERE s.pair IS NOT NULL AND ($right_property IS NULL OR m[$right_property] = $right_value)
  WITH n, s, m ORDER BY s.status, s.confidence DESC, s.pair
  RETURN 'left' AS side, n, collect({key: m.`{right_key}`, node: m, confidence: s.confidence, status: s.status}) AS others,
         [n] AS lefts, collect(m) AS rights
  UNION ALL
  MATCH (n:`{right}`) WHERE n.`{right_key}` IN keys
    AND ($right_property IS NULL OR n[$right_property] = $right_value)
  OPTIONAL MATCH (n)<-[s:SAME_AS]-(m:`{left}`)
  WHERE s.pair IS NOT NULL AND ($left_property IS NULL OR m[$left_property] = $left_value)
  WITH n, s, m ORDER BY s.status, s.confidence DESC, s.pair
  RETURN 'right' AS side, n, collect({key: m.`{left_key}`, node: m, confidence: s.confidence, status: s.status}) AS others,
         collect(m) AS lefts, [n] AS rights
}
// An attribute has a name of its own and may be another property on each side; what is not mapped keeps its name.
WITH side, n, [other IN others WHERE other.node IS NOT NULL] AS counterparts, lefts, rights,
     head([label IN keys($left_attributes) WHERE label IN labels(head(lefts))]) AS left_label,
     head([label IN keys($right_attributes) WHERE label IN labels(head(rights))]) AS right_label
WITH side, n, counterparts, lefts, rights, coalesce($left_attributes[left_label], {}) AS on_left,
     coalesce($right_attributes[right_label], {}) AS on_right
CALL (lefts, rights, on_left, on_right) {
  UNWIND lefts + rights AS node
  WITH node, node IN lefts AS is_left, keys(node) AS properties
  UNWIND properties AS property
  WITH node[property] AS value, property, is_left, CASE WHEN is_left THEN on_left ELSE on_right END AS mapped
  // Keys differ by their nature, and so does what tells the sides apart.
  WHERE NOT property IN CASE WHEN is_left THEN [$left_key_name, coalesce($left_property, $left_key_name)]
                             ELSE [$right_key_name, coalesce($right_property, $right_key_name)] END
  WITH is_left, value, coalesce(head([name IN keys(mapped) WHERE mapped[name] = property]), property) AS name
  ORDER BY name, is_left DESC
  WITH name, collect(CASE WHEN is_left THEN value END) AS left, collect(CASE WHEN NOT is_left THEN value END) AS right
  RETURN collect({name: name, value: head(left + right), left: left, right: right,
                  conflict: size(left) > 0 AND size(right) > 0
                            AND any(one IN left WHERE any(other IN right WHERE one <> other AND coalesce(
                                    toLower(toStringOrNull(one)) <> toLower(toStringOrNull(other)), true)))}) AS attributes
}
RETURN side, n AS node, counterparts, attributes, [one IN attributes WHERE one.conflict | one.name] AS conflicts
