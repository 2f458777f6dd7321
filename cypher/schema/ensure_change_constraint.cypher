// ensure_change_constraint(): lets a batch of changes be recorded once only, even where its transaction is retried
CREATE CONSTRAINT align_change_id IF NOT EXISTS FOR (change:AlignChange) REQUIRE change.id IS UNIQUE
