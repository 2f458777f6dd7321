// delete_nodes(limit): delete some of the tool's own nodes, not the lease to do so
MATCH (n:AlignChange|AlignEvent|AlignJob|AlignRun|AlignState)
WITH n LIMIT $limit
DETACH DELETE n
RETURN count(*) AS deleted
