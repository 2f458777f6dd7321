// create_key_constraint() [name, label, key]: lets the key of the nodes with a label be found fast and be there once
CREATE CONSTRAINT `{name}` IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.`{key}` IS UNIQUE
