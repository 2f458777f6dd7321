// ensure_run_constraint(): lets a run be there once only, and be found by its id
CREATE CONSTRAINT align_run_id IF NOT EXISTS FOR (run:AlignRun) REQUIRE run.id IS UNIQUE
