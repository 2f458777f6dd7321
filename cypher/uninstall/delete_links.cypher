// delete_links(limit): delete some of the tool's relationships; one without `pair` is somebody else's
MATCH ()-[r:SAME_AS|NOT_SAME_AS]->() WHERE r.pair IS NOT NULL
WITH r LIMIT $limit
DELETE r
RETURN count(*) AS deleted
