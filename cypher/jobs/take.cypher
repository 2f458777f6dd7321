// take(token, worker, alignment): take the next job, one whose worker died first; no row where there is none, or another worker has the lease
MATCH (lease:AlignLease {name: 'worker'})
SET lease.locked_at = datetime.realtime() // writing locks it: what is read from here on holds until the commit
WITH lease WHERE lease.token = $token
MATCH (job:AlignJob {alignment: $alignment}) WHERE job.status IN ['queued', 'running']
WITH job ORDER BY job.status DESC, job.submitted_at, job.id LIMIT 1
SET job.status = 'running', job.attempts = job.attempts + 1, job.worker = $worker, job.started_at = datetime()
RETURN properties(job) AS job
