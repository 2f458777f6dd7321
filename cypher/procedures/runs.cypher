// runs(limit): the latest runs, newest first
// READ runs(limit = 25 :: INTEGER) :: (id :: STRING, kind :: STRING, status :: STRING, started_at :: DATETIME, seconds :: FLOAT, created :: INTEGER, updated :: INTEGER, retired :: INTEGER, model :: STRING)
MATCH (run:AlignRun)
RETURN run.id AS id, run.kind AS kind, run.status AS status, run.started_at AS started_at, run.seconds AS seconds,
       run.created AS created, run.updated AS updated, run.retired AS retired, run.model AS model
ORDER BY started_at DESC, id LIMIT $limit
