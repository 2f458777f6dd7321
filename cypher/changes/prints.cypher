// prints(prefix): the fingerprints of all entities as the last run saw them, packed by the beginning of their key's hash
MATCH (state:AlignState) WHERE state.name STARTS WITH $prefix
RETURN state.name AS name, state.keys AS keys, state.contents AS contents
