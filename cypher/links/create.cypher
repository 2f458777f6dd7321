// create(rows, left_key, right_key, run, model): write predicted links; an end that is gone or became another node is passed over
UNWIND $rows AS row
MATCH (l) WHERE elementId(l) = row.left_id AND l[$left_key] = row.left
MATCH (r) WHERE elementId(r) = row.right_id AND r[$right_key] = row.right
  AND NOT EXISTS { (l)-[:NOT_SAME_AS]->(r) }
MERGE (l)-[s:SAME_AS {pair: row.pair}]->(r)
ON CREATE SET s.status = 'predicted', s.confidence = row.confidence, s.score = row.score,
              s.run = $run, s.model = $model, s.created_at = datetime(), s.updated_at = s.created_at
RETURN count(s) AS links
