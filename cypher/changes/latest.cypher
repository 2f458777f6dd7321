// latest(side_property, side_value, to_come) [entity, property]: the last value of the property that tells when an entity changed; a time to come, which would hide all changes until then, is taken only where that is wanted
MATCH (n:`{entity}`) WHERE n.`{property}` IS NOT NULL AND ($side_property IS NULL OR n[$side_property] = $side_value)
  AND ($to_come OR NOT coalesce(n.`{property}` > datetime(), n.`{property}` > localdatetime(), n.`{property}` > date(), false))
RETURN n.`{property}` AS latest ORDER BY latest DESC LIMIT 1
