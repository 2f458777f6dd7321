// remembered(): what the last run left for the next sync; no row where there was none
MATCH (state:AlignState {name: 'sync'})
RETURN properties(state) AS state
