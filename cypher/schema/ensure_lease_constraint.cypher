// ensure_lease_constraint(): lets a lease be there once only
CREATE CONSTRAINT align_lease_name IF NOT EXISTS FOR (lease:AlignLease) REQUIRE lease.name IS UNIQUE
