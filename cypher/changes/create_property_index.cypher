// create_property_index() [name, label, property]: lets the entities that changed be found without looking at all
CREATE INDEX `{name}` IF NOT EXISTS FOR (n:`{label}`) ON (n.`{property}`)
