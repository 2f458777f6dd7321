// events(alignment): what the trigger of an alignment has written down and no run has read yet
MATCH (event:AlignEvent {alignment: $alignment})
RETURN event.id AS id, event.entities AS entities, event.ids AS ids
