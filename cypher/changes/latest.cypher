// latest(side_property, side_value) [entity, property]: the last value of the property that tells when an entity changed; a time to come would hide all changes until then
MATCH (n:`{entity}`) WHERE n.`{property}` IS NOT NULL AND ($side_property IS NULL OR n[$side_property] = $side_value)
  AND NOT coalesce(n.`{property}` > datetime(), n.`{property}` > localdatetime(), n.`{property}` > date(), false)
RETURN n.`{property}` AS latest ORDER BY latest DESC LIMIT 1
