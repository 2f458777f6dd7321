// retire(rows): remove predicted links that are no longer predicted; a confirmed link is left as it is
UNWIND $rows AS row
MATCH ()-[s:SAME_AS {pair: row.pair}]->()
WHERE s.status = 'predicted'
DELETE s
RETURN count(*) AS links
