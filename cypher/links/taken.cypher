// taken(pairs): those names that a link has already
MATCH ()-[s:SAME_AS]->() WHERE s.pair IN $pairs
RETURN s.pair AS pair
