// neighbourhood(key, alignment): the sampled neighbours of an entity and theirs, exactly as the model sees them, as a job of the kind `neighbourhood` drew them last
// READ neighbourhood(key :: STRING) :: (hop :: INTEGER, entity :: STRING, relation :: STRING, forward :: BOOLEAN, neighbour :: STRING, type :: STRING, finished_at :: DATETIME)
MATCH (job:AlignJob {kind: 'neighbourhood', status: 'done', alignment: $alignment}) WHERE toStringOrNull(job.key) = $key
WITH job ORDER BY job.finished_at DESC LIMIT 1
UNWIND range(0, size(job.hop) - 1) AS at
RETURN job.hop[at] AS hop, job.entity[at] AS entity, job.relation[at] AS relation, job.forward[at] AS forward,
       job.neighbour[at] AS neighbour, job.type[at] AS type, job.finished_at AS finished_at
ORDER BY hop, entity, relation, neighbour
