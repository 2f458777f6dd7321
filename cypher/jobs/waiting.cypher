// waiting(alignment): whether a job waits for a worker, or for another one since its own may have died
RETURN EXISTS { MATCH (job:AlignJob {alignment: $alignment}) WHERE job.status IN ['queued', 'running'] } AS waiting
