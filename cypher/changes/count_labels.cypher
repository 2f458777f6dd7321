// count_labels(ids, database): how many of some nodes have each label
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = $database + toString(id)
UNWIND labels(n) AS label
RETURN label, count(*) AS nodes
