// list(limit): the latest runs, newest first
MATCH (run:AlignRun)
RETURN run {.*, started_at: toString(run.started_at), finished_at: toString(run.finished_at)} AS run
ORDER BY run.started_at DESC, run.id LIMIT $limit
