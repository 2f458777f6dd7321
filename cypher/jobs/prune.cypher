// prune(days, alignment): forget jobs that ended long ago
MATCH (job:AlignJob {alignment: $alignment}) WHERE job.finished_at < datetime() - duration({days: $days})
DELETE job
RETURN count(*) AS jobs
