// start(run, token, kind, actor, about): record that a run began, and that one that never ended died; no row where another has the lease
MATCH (lease:AlignLease {name: 'writer'})
SET lease.locked_at = datetime.realtime()
WITH lease WHERE lease.token = $token
OPTIONAL MATCH (old:AlignRun {status: 'running'}) WHERE old.id <> $run
SET old.status = 'died'
WITH lease, collect(old.id) AS died // without lease no row is one row
MERGE (run:AlignRun {id: $run})
ON CREATE SET run += $about, run.kind = $kind, run.by = $actor, run.status = 'running', run.started_at = datetime(),
              run.created = 0, run.updated = 0, run.retired = 0
RETURN died
