// ensure_state_constraint(): lets what a run remembers be there once only, and be found by its name
CREATE CONSTRAINT align_state_name IF NOT EXISTS FOR (state:AlignState) REQUIRE state.name IS UNIQUE
