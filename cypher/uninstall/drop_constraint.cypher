// drop_constraint() [name]: remove a constraint with its index
DROP CONSTRAINT `{name}` IF EXISTS
