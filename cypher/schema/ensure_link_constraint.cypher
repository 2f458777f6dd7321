// ensure_link_constraint(): lets a pair be linked once only, whoever writes at the same time
CREATE CONSTRAINT align_same_as_pair IF NOT EXISTS FOR ()-[r:SAME_AS]-() REQUIRE r.pair IS UNIQUE
