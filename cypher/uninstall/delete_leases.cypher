// delete_leases(): delete the leases, once all else is gone
MATCH (n:AlignLease)
DELETE n
RETURN count(*) AS deleted
