// forget_events(rows): delete what was read
UNWIND $rows AS id
MATCH (event:AlignEvent) WHERE elementId(event) = id
DELETE event
