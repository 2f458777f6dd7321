// explain(left, right, alignment): why two entities are linked or not, as a job of the kind `explain` found it last: the verdict with score and confidence, then each evidence with what the score loses without it, and the confidence then
// READ explain(left :: STRING, right :: STRING) :: (evidence :: STRING, what :: STRING, left_value :: STRING, right_value :: STRING, contribution :: FLOAT, confidence :: FLOAT, finished_at :: DATETIME)
MATCH (job:AlignJob {kind: 'explain', status: 'done', alignment: $alignment})
WHERE toStringOrNull(job.left) = $left AND toStringOrNull(job.right) = $right
WITH job ORDER BY job.finished_at DESC LIMIT 1
UNWIND range(0, size(job.evidence) - 1) AS at
RETURN job.evidence[at] AS evidence, job.what[at] AS what, nullIf(job.left_value[at], '') AS left_value,
       nullIf(job.right_value[at], '') AS right_value, job.contribution[at] AS contribution,
       job.confidence[at] AS confidence, job.finished_at AS finished_at
ORDER BY at
