// ensure_rejection_constraint(): lets a pair be rejected once only, whoever writes at the same time
CREATE CONSTRAINT align_not_same_as_pair IF NOT EXISTS FOR ()-[r:NOT_SAME_AS]-() REQUIRE r.pair IS UNIQUE
