// renew(name, token, seconds): say that the holder of a lease is alive; no row where another has taken it
MATCH (lease:AlignLease {name: $name})
SET lease.locked_at = datetime.realtime()
WITH lease WHERE lease.token = $token
SET lease.expires_at = datetime.realtime() + duration({seconds: $seconds})
RETURN lease.name AS name
