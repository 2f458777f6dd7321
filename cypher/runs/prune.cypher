// prune(days, runs, alignment): forget the single changes of old runs; the runs themselves stay
MATCH (run:AlignRun {alignment: $alignment}) WHERE EXISTS { (:AlignChange)-[:IN_RUN]->(run) }
WITH run ORDER BY run.started_at DESC, run.id SKIP $runs
WHERE run.started_at < datetime() - duration({days: $days})
SET run.pruned = true
WITH run MATCH (change:AlignChange)-[:IN_RUN]->(run)
DETACH DELETE change
RETURN count(*) AS changes
