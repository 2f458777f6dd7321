// probe_write(): finds out whether the user may write, and leaves nothing behind
CREATE (n:AlignLease)-[r:SAME_AS]->(n)
DELETE r, n
