// changes(run): all that a run changed, batch by batch in the order of writing
MATCH (change:AlignChange)-[:IN_RUN]->(:AlignRun {id: $run})
RETURN change {.*} AS change ORDER BY change.number
