// drop_index() [name]: remove an index
DROP INDEX `{name}` IF EXISTS
