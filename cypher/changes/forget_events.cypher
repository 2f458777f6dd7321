// forget_events(rows): delete what was read
MATCH (event:AlignEvent) WHERE event.id IN $rows
DELETE event
