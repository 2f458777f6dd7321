// remembered(name): what the last run of an alignment left for the next sync; no row where there was none
MATCH (state:AlignState {name: $name})
RETURN properties(state) AS state
