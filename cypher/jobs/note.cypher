// note(token, id, about): write the progress or outcome of a job; no row where another worker has the lease
MATCH (lease:AlignLease {name: 'worker'})
SET lease.locked_at = datetime.realtime() // writing locks it: what is read from here on holds until the commit
WITH lease WHERE lease.token = $token
MATCH (job:AlignJob {id: $id})
SET job += CASE WHEN $about.status = 'queued' AND job.status <> 'running' THEN {} ELSE $about END // what is done stays so
SET job.finished_at = CASE WHEN job.status IN ['queued', 'running'] THEN null ELSE datetime() END
RETURN coalesce(job.cancelled, false) AS cancelled
