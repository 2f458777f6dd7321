// finish(run, counts): record that a run is done, with its counts
MATCH (run:AlignRun {id: $run})
SET run += $counts, run.status = 'done', run.finished_at = datetime()
RETURN run.id AS run
