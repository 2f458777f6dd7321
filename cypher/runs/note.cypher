// note(run, about): add to what is known of a run
MATCH (run:AlignRun {id: $run})
SET run += $about
RETURN run.id AS run
