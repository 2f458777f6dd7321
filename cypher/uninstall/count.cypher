// count(): how much of the tool there is in the database, relationships by type and nodes by label
CALL () {
  MATCH ()-[r:SAME_AS|NOT_SAME_AS]->() WHERE r.pair IS NOT NULL
  RETURN 'relationships :' + type(r) AS what, count(*) AS number
  UNION ALL
  MATCH (n:AlignChange|AlignEvent|AlignJob|AlignLease|AlignRun|AlignState)
  RETURN 'nodes :' + labels(n)[0] AS what, count(*) AS number
}
RETURN what, number ORDER BY what
