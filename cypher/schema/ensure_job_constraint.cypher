// ensure_job_constraint(): lets a job be there once only, and be found by its id
CREATE CONSTRAINT align_job_id IF NOT EXISTS FOR (job:AlignJob) REQUIRE job.id IS UNIQUE
