// forget_all_events(alignment): delete what a trigger wrote down, of one alignment or of all
MATCH (event:AlignEvent) WHERE $alignment IS NULL OR event.alignment = $alignment
DELETE event
