// sample_properties(side_property, side_value, share, longest) [entity]: values of each property in a share of the nodes; the row without a name counts these nodes
MATCH (n:`{entity}`)
WHERE $side_property IS NULL OR n[$side_property] = $side_value
WITH n, toInteger(split(elementId(n), ':')[2]) % 1000003 AS number
// A fixed scramble of the node's number: the same nodes each time, and not those that were created first.
WHERE (number * number + 7 * number) % 1000003 < $share * 1000003
UNWIND [null] + keys(n) AS name
WITH number, name, n[name] AS value
WITH number, name, value, valueType(value) AS type
RETURN name, count(*) AS nodes, collect(DISTINCT type) AS types, collect(number) AS owners,
       collect(CASE WHEN type STARTS WITH 'LIST' THEN [member IN value[..5] | left(toStringOrNull(member), $longest)]
                    ELSE [left(toStringOrNull(value), $longest)] END) AS values
ORDER BY name
