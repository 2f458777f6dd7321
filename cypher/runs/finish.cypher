// finish(run, status, about): record how a run ended; one that was taken for dead stays so
MATCH (run:AlignRun {id: $run}) WHERE run.status IN ['running', $status]
SET run += $about, run.status = $status, run.finished_at = datetime()
RETURN run.created AS created, run.updated AS updated, run.retired AS retired
