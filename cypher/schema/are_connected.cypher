// are_connected() [one, other, own]: whether a relationship that is not the tool's own joins two labels
RETURN EXISTS { (:`{one}`)-[r:!(`{own}`)]-(:`{other}`) } AS connected
