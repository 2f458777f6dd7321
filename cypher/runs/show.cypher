// show(run, alignment): the runs whose id begins so; the latest, of one alignment or of all, for `last`
MATCH (run:AlignRun) WHERE run.id STARTS WITH $run OR ($run = 'last' AND ($alignment IS NULL OR run.alignment = $alignment))
WITH run ORDER BY run.started_at DESC, run.id
WITH CASE $run WHEN 'last' THEN collect(run)[..1] ELSE collect(run) END AS runs
UNWIND runs AS run
RETURN run {.*, started_at: toString(run.started_at), finished_at: toString(run.finished_at)} AS run
