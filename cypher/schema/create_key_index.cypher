// create_key_index() [name, label, key]: lets the key of the nodes with a label be found fast, where labels alone do not tell the sides apart
CREATE INDEX `{name}` IF NOT EXISTS FOR (n:`{label}`) ON (n.`{key}`)
