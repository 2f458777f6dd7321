// submit(kind, options, alignment): ask a worker for a job (align, sync, train, score, neighbourhood, candidates or explain); its id, or why it cannot be asked
// WRITE submit(kind :: STRING, options = {} :: MAP) :: (id :: STRING, status :: STRING)
WITH randomUUID() AS id, coalesce($kind, 'null') AS kind, coalesce($options, {}) AS options
WITH id, kind, options,
     {align: [], sync: [], train: [], score: ['left', 'right'], neighbourhood: ['key'], candidates: ['key'], explain: ['left', 'right']}[kind] AS needs,
     CASE kind WHEN 'align' THEN ['precision', 'dry_run'] ELSE [] END AS takes
WITH id, kind, options,
     CASE WHEN needs IS NULL THEN ['no kind of job: ' + kind]
          ELSE [name IN keys(options) WHERE NOT name IN needs + takes | 'a job of the kind ' + kind + ' has no option ' + name]
               + [name IN needs WHERE options[name] IS NULL | 'a job of the kind ' + kind + ' needs the option ' + name]
               + CASE WHEN coalesce(0 < coalesce(options.precision, 0.5) < 1, false) THEN [] ELSE ['the option precision must be a number between 0 and 1'] END
               + CASE WHEN coalesce(options.dry_run, false) IN [true, false] THEN [] ELSE ['the option dry_run must be true or false'] END END AS wrong
FOREACH (_ IN CASE WHEN wrong = [] THEN [1] ELSE [] END |
  CREATE (job:AlignJob)
  SET job += options, job.id = id, job.alignment = $alignment, job.kind = kind, job.options = keys(options), job.status = 'queued',
      job.submitted_at = datetime(), job.attempts = 0)
RETURN CASE WHEN wrong = [] THEN id END AS id, coalesce(wrong[0], 'queued') AS status
