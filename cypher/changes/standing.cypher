// standing(alignment, left_prefix, right_prefix): what of the links and verdicts may have changed without a run: the last run, how many there are, the latest verdict
CALL () { OPTIONAL MATCH (last:AlignRun {alignment: $alignment}) WHERE last.created + last.updated + last.retired > 0
          RETURN last.id AS run ORDER BY last.started_at DESC LIMIT 1 }
CALL () { MATCH ()-[s:SAME_AS]->() WHERE s.pair STARTS WITH $left_prefix AND s.pair CONTAINS '|' + $right_prefix
          RETURN count(s) AS links }
CALL () { MATCH ()-[s:SAME_AS]->()
          WHERE s.decided_at IS NOT NULL AND s.pair STARTS WITH $left_prefix AND s.pair CONTAINS '|' + $right_prefix
          RETURN count(s) AS confirmed, max(s.decided_at) AS confirmed_at }
CALL () { MATCH ()-[s:NOT_SAME_AS]->()
          WHERE s.pair STARTS WITH $left_prefix AND s.pair CONTAINS '|' + $right_prefix
          RETURN count(s) AS rejected, max(s.decided_at) AS rejected_at }
RETURN run, links, confirmed, confirmed_at, rejected, rejected_at
