// acquire(name, token, holder, purpose, seconds, gone): take a lease that nobody holds, or whose holder is known to be gone
MERGE (lease:AlignLease {name: $name})
SET lease.locked_at = datetime.realtime() // writing locks it: what is read from here on holds until the commit
WITH lease, lease.token IS NULL OR lease.token IN [$token, $gone] OR lease.expires_at < datetime.realtime() AS free
FOREACH (_ IN CASE WHEN free THEN [1] ELSE [] END |
  SET lease.token = $token, lease.holder = $holder, lease.purpose = $purpose, lease.since = datetime.realtime(),
      lease.expires_at = datetime.realtime() + duration({seconds: $seconds}))
RETURN free, lease.token AS token, lease.holder AS holder, lease.purpose AS purpose, toString(lease.since) AS since,
       toString(lease.expires_at) AS expires_at
