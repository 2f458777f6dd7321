// release(name, token): give a lease back, if it is still held
MATCH (lease:AlignLease {name: $name})
SET lease.locked_at = datetime.realtime()
WITH lease WHERE lease.token = $token
REMOVE lease.token, lease.holder, lease.purpose, lease.since, lease.expires_at
RETURN lease.name AS name
