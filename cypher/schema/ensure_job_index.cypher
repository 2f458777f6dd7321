// ensure_job_index(): lets the jobs that wait be found without looking at those that are done
CREATE INDEX align_job_status IF NOT EXISTS FOR (job:AlignJob) ON (job.alignment, job.status)
