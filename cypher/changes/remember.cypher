// remember(rows): keep what a run leaves for the next sync, in place of what was kept
UNWIND $rows AS row
MERGE (state:AlignState {name: row.name})
SET state = row
