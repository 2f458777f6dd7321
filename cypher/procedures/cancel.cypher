// cancel(id): cancel a job: at once where it waits, at its next step where it runs
// WRITE cancel(id :: STRING) :: (id :: STRING, status :: STRING)
MATCH (job:AlignJob {id: $id})
SET job.cancelled = job.status IN ['queued', 'running'] OR job.cancelled,
    job.status = CASE job.status WHEN 'queued' THEN 'cancelled' ELSE job.status END
RETURN job.id AS id, CASE WHEN job.status = 'running' THEN 'cancelling' ELSE job.status END AS status
