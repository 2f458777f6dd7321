// submit(kind, options, alignment): ask a worker for a job (align, sync, train, score, neighbourhood, candidates or explain); its id, or why it cannot be asked
// WRITE submit(kind :: STRING, options = {} :: MAP) :: (id :: STRING, status :: STRING)
WITH randomUUID() AS id
FOREACH (_ IN CASE WHEN $kind IN ['align', 'sync', 'train', 'score', 'neighbourhood', 'candidates', 'explain'] THEN [1] ELSE [] END |
  CREATE (job:AlignJob) // options first, so that none can pass for what follows
  SET job += $options, job.id = id, job.alignment = $alignment, job.kind = $kind, job.options = keys($options), job.status = 'queued',
      job.submitted_at = datetime(), job.attempts = 0)
RETURN CASE WHEN EXISTS { (:AlignJob {id: id}) } THEN id END AS id,
       CASE WHEN EXISTS { (:AlignJob {id: id}) } THEN 'queued' ELSE 'no kind of job: ' + $kind END AS status
