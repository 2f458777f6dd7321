// list(limit): the latest runs, newest first
MATCH (run:AlignRun)
WITH run ORDER BY run.started_at DESC, run.id LIMIT $limit // by the time: its text leaves zeros out, and 1.5Z sorts after 1.51Z
RETURN run {.*, started_at: toString(run.started_at), finished_at: toString(run.finished_at)} AS run
