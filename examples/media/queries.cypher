// What a film of the left knows and its counterpart adds
MATCH (film:Film:Catalogue)-[same:SAME_AS]->(movie:Movie:Wiki)
RETURN film.title AS left, movie.name AS right, film.genre AS genre, movie.country AS country, same.confidence AS confidence
ORDER BY film.title LIMIT 5;

// The least certain links: look at these first
MATCH (l:Catalogue)-[same:SAME_AS]->(r:Wiki)
RETURN coalesce(l.title, l.name) AS left, r.name AS right, [label IN labels(l) WHERE label <> 'Catalogue'][0] AS type, same.confidence AS confidence
ORDER BY same.confidence, left LIMIT 5;

// Across both graphs: songs that the left knows, by artists whose films only the right knows
MATCH (artist:Artist)-[:SAME_AS]->(agent:Agent)<-[:CAST]-(movie:Movie)
MATCH (artist)<-[:PERFORMED_BY]-(song:Song)
WHERE NOT (movie)<-[:SAME_AS]-()
RETURN agent.name AS artist, song.title AS song, movie.name AS film
ORDER BY artist, song, film LIMIT 5;

// One title on both sides, and yet not linked: another recording, another film
MATCH (l:Catalogue) WHERE l:Song OR l:Film
MATCH (r:Wiki) WHERE (r:Track OR r:Movie) AND r.name = l.title AND NOT (l)-[:SAME_AS]->() AND NOT (r)<-[:SAME_AS]-()
RETURN l.title AS title, l.year AS left_year, coalesce(r.published, r.released) AS right_date
ORDER BY title LIMIT 8;
