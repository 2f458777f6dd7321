// go_on(token, name, cursor): keep how far a sync that found nothing to do has looked, unless another has the lease
MATCH (lease:AlignLease {name: 'writer'})
SET lease.locked_at = datetime.realtime()
WITH lease WHERE lease.token = $token
MATCH (state:AlignState {name: $name})
SET state += $cursor
