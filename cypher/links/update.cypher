// update(rows, run, model): give predicted links their new score; a confirmed link is left as it is
UNWIND $rows AS row
MATCH (l)-[s:SAME_AS {pair: row.pair}]->(r)
WHERE s.status = 'predicted' AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
SET s.confidence = row.confidence, s.score = row.score, s.run = $run, s.model = $model, s.updated_at = datetime()
RETURN count(s) AS links
