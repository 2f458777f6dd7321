// job(id): what became of a job: its status, progress, outcome or error
// READ job(id :: STRING) :: (status :: STRING, stage :: STRING, done :: INTEGER, total :: INTEGER, error :: STRING, job :: MAP)
MATCH (job:AlignJob {id: $id})
RETURN job.status AS status, job.stage AS stage, job.done AS done, job.total AS total, job.error AS error,
       properties(job) AS job
