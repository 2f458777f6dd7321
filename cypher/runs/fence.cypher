// fence(token, change): whether the run still holds the lease to write, and whether it has written this batch already
MATCH (lease:AlignLease {name: 'writer'})
SET lease.locked_at = datetime.realtime()
RETURN lease.token = $token AS held, EXISTS { (:AlignChange {id: $change}) } AS done
