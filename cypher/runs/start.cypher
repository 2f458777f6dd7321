// start(run, kind, model, config_hash, precision): record that a run began to write; one that never finished is marked so
OPTIONAL MATCH (old:AlignRun {status: 'running'})
SET old.status = 'died'
WITH count(old) AS died
CREATE (:AlignRun {id: $run, kind: $kind, model: $model, config_hash: $config_hash, precision: $precision, status: 'running', started_at: datetime()})
RETURN died
