// count_both() [left, right]: how many nodes are of both graphs
MATCH (n:`{left}`&`{right}`)
RETURN count(n) AS nodes
