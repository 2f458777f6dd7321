// lock(name): let this transaction go on alone until it commits, among all that lock the same name
MERGE (lease:AlignLease {name: $name})
SET lease.locked_at = datetime.realtime()
