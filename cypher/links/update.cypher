// update(rows, run, model): give predicted links their new score; a confirmed link is left as it is
UNWIND $rows AS row
MATCH ()-[s:SAME_AS {pair: row.pair}]->()
WHERE s.status = 'predicted'
SET s.confidence = row.confidence, s.score = row.score, s.run = $run, s.model = $model, s.updated_at = datetime()
RETURN count(s) AS links
