// find(pairs): what stands in the database of some pairs by now, link or rejection
UNWIND $pairs AS pair
OPTIONAL MATCH ()-[same:SAME_AS {pair: pair}]->()
OPTIONAL MATCH ()-[other:NOT_SAME_AS {pair: pair}]->()
RETURN pair, same.status AS status, same.run AS run, same.decided_by AS confirmed_by,
       other IS NOT NULL AS rejected, other.decided_by AS rejected_by
