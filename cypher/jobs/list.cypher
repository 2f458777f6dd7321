// list(limit): the latest jobs, newest first, without their options and what they found
MATCH (job:AlignJob)
WITH job ORDER BY job.submitted_at DESC, job.id LIMIT $limit
RETURN job {.id, .alignment, .kind, .status, .stage, .done, .total, .attempts, .worker, .error, submitted_at: toString(job.submitted_at),
            started_at: toString(job.started_at), finished_at: toString(job.finished_at)} AS job
