// candidates(key, alignment): the candidate pairs of an entity with their confidences, as a job of the kind `candidates` found them last
// READ candidates(key :: STRING) :: (left :: STRING, right :: STRING, confidence :: FLOAT, score :: FLOAT, linked :: BOOLEAN, finished_at :: DATETIME)
MATCH (job:AlignJob {kind: 'candidates', status: 'done', alignment: $alignment}) WHERE toStringOrNull(job.key) = $key
WITH job ORDER BY job.finished_at DESC LIMIT 1
UNWIND range(0, size(job.left) - 1) AS at
RETURN job.left[at] AS left, job.right[at] AS right, job.confidence[at] AS confidence, job.score[at] AS score,
       job.linked[at] AS linked, job.finished_at AS finished_at
ORDER BY confidence DESC, left, right
