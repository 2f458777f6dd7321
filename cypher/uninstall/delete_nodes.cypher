// delete_nodes(limit): delete some of the tool's own nodes
MATCH (n:AlignChange|AlignEvent|AlignJob|AlignLease|AlignRun|AlignState)
WITH n LIMIT $limit
DETACH DELETE n
RETURN count(*) AS deleted
