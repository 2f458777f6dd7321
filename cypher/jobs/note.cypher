// note(token, id, about): write the progress or outcome of a job; no row where another worker has the lease
MATCH (lease:AlignLease {name: 'worker', token: $token})
SET lease.locked_at = datetime.realtime()
WITH lease
MATCH (job:AlignJob {id: $id})
SET job += $about
SET job.finished_at = CASE WHEN job.status IN ['queued', 'running'] THEN null ELSE datetime() END
RETURN coalesce(job.cancelled, false) AS cancelled
