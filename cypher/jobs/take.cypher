// take(token, worker, alignment): take the next job, one whose worker died first; no row where there is none, or another worker has the lease
MATCH (lease:AlignLease {name: 'worker', token: $token})
SET lease.locked_at = datetime.realtime()
WITH lease
MATCH (job:AlignJob {alignment: $alignment}) WHERE job.status IN ['queued', 'running']
WITH job ORDER BY job.status DESC, job.submitted_at, job.id LIMIT 1
SET job.status = 'running', job.attempts = job.attempts + 1, job.worker = $worker, job.started_at = datetime()
RETURN properties(job) AS job
