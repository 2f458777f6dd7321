// events(): what the trigger has written down and no run has read yet
MATCH (event:AlignEvent)
RETURN elementId(event) AS id, event.entities AS entities
