"""A guessed mapping as an align.toml that explains itself: each entry with its counts, samples and reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import BaseModel

from neo4j_align.config import EntityType
from neo4j_align.mapping import Mapping
from neo4j_align.profile import Graph, NodeType
from neo4j_align.settings import Candidates, Sampling, Training

LONGEST_SAMPLE = 40
HEADER = """\
# How the two graphs map to each other, as `neo4j-align init` guessed it. Please correct it.
#
# `left` and `right` are names in the database. An entry with only one of them has no counterpart: to pair two
# such entries, write both names into one and delete the other. Comments show the left graph, then the right.
#
# [[types]]     labels. `attributes` are compared; one `name` in several types means one kind of value.
#               `kind`: name (names the entity, one for each type), text, number or date.
# [[relations]] relationship types. `inverse = true`: the left one points the other way than the right one.
#
# Then: neo4j-align check"""


def mapping_text(mapping: Mapping, left: Graph, right: Graph) -> str:
    """Return the text of an align.toml that holds the mapping."""
    config, notes = mapping.config, mapping.notes
    blocks = [HEADER]
    for name, graph in (("left", left), ("right", right)):
        typeless = graph.nodes - sum(node_type.nodes for node_type in graph.types)
        counts = f"{graph.nodes:,} nodes" + (f", {typeless:,} of no type: left out" if typeless else "")
        blocks.append(f"# {counts}\n[{name}]\n{_entries(graph.side)}")
    for entity_type in config.types:
        blocks.append("\n".join(_type(entity_type, mapping, left, right)))
    for relation in config.relations:
        counts = f"{_ends(left, relation.left)} | {_ends(right, relation.right)}"
        reason = notes["relations", relation.name]
        blocks.append(f"# {counts}\n# {reason}\n[[relations]]\n{_entries(relation)}")
    blocks.append("# All other settings, with their defaults:")
    for name, settings in (("sampling", Sampling()), ("candidates", Candidates()), ("training", Training())):
        blocks.append("\n".join(f"# {line}" for line in (f"[{name}]", *_entries(settings).splitlines())))
    return "\n\n".join(blocks) + "\n"


def toml_value(value: str | int | float | bool) -> str:
    """Write a value as TOML; its strings are JSON's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _entries(model: BaseModel) -> str:
    """Write the plain fields of a part of the configuration, one a line; what is unset or the default stays out."""
    fields = model.model_dump(exclude_none=True, exclude={"attributes", "cardinality"})
    return "\n".join(f"{name} = {toml_value(value)}" for name, value in fields.items() if value is not False)


def _type(entity_type: EntityType, mapping: Mapping, left: Graph, right: Graph) -> Iterator[str]:
    types = [
        next((found for found in graph.types if found.name == label), None)
        for graph, label in ((left, entity_type.left), (right, entity_type.right))
    ]
    counts = " | ".join(f"{found.nodes:,}" if found else "-" for found in types)
    yield f"# {counts} nodes\n# {mapping.notes['types', entity_type.name]}"
    empty = [", ".join(map(toml_value, found.left_out)) if found else "" for found in types]
    if any(empty):
        yield f"# nothing to compare in {' | '.join(names or '-' for names in empty)}"
    yield f"[[types]]\n{_entries(entity_type)}"
    yield "attributes = ["
    for attribute in entity_type.attributes:
        samples = " | ".join(map(_sample, types, (attribute.left, attribute.right)))
        yield f"  # {samples}; {mapping.notes['types', entity_type.name, attribute.name]}"
        yield f"  {{ {_entries(attribute).replace(chr(10), ', ')} }},"
    yield "]"


def _sample(node_type: NodeType | None, name: str | None) -> str:
    found = next((p for p in node_type.properties if p.name == name), None) if node_type else None
    if found is None:
        return "-"
    value = found.values[0]
    shown = value if len(value) <= LONGEST_SAMPLE else value[: LONGEST_SAMPLE - 1] + "…"
    return f"{found.filled:.0%} {toml_value(shown)}"


def _ends(graph: Graph, name: str | None) -> str:
    found = next((relation for relation in graph.relations if relation.name == name), None)
    if found is None:
        return "-"
    (start, end), _ = max(found.ends.items(), key=lambda item: item[1])
    more = " and others" if len(found.ends) > 1 else ""
    return f"{found.relationships:,} from {toml_value(start)} to {toml_value(end)}{more}"
