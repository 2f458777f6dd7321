// start(run, kind, actor, about): record that a run began; one that never ended is marked as died
OPTIONAL MATCH (old:AlignRun {status: 'running'}) WHERE old.id <> $run
SET old.status = 'died'
WITH collect(old.id) AS died
MERGE (run:AlignRun {id: $run})
ON CREATE SET run += $about, run.kind = $kind, run.by = $actor, run.status = 'running', run.started_at = datetime(),
              run.created = 0, run.updated = 0, run.retired = 0
RETURN died
