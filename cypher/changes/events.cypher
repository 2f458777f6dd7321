// events(alignment): what the trigger of an alignment has written down and no run has read yet
MATCH (event:AlignEvent {alignment: $alignment})
RETURN elementId(event) AS id, event.entities AS entities
