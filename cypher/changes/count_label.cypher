// count_label() [label]: how many nodes have a label, which Neo4j keeps count of
MATCH (n:`{label}`) RETURN count(n) AS nodes
