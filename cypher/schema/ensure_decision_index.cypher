// ensure_decision_index(): lets the confirmed links be counted without looking at all links
CREATE INDEX align_same_as_decided_at IF NOT EXISTS FOR ()-[r:SAME_AS]-() ON (r.decided_at)
