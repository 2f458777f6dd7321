"""Make the two graphs of this example from facts.toml: `python build.py [FOLDER]`.

Each side gets its own schema, names and keys, and loses some edges and attributes. Every draw is a hash of
what it decides about, so that the files come out the same each time and a new fact leaves the others alone.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SIDES = ("left", "right")
LABELS = {
    "film": {"left": "Film", "right": "Movie"},
    "artist": {"left": "Artist", "right": "Agent"},
    "song": {"left": "Song", "right": "Track"},
    "album": {"left": "Album", "right": "Record"},
}
# (type, role in facts.toml): left and right relationship type; `<` where it points at the work.
RELATIONS = {
    ("film", "cast"): {"left": "<ACTED_IN", "right": "CAST"},
    ("film", "director"): {"left": "<DIRECTED", "right": "DIRECTOR"},
    ("film", "writer"): {"left": "<WROTE", "right": "SCREENPLAY"},
    ("film", "music"): {"left": "<SCORED", "right": "MUSIC"},
    ("film", "remake_of"): {"left": "REMAKE_OF"},
    ("song", "artist"): {"left": "PERFORMED_BY", "right": "PERFORMER"},
    ("song", "writer"): {"left": "WRITTEN_BY", "right": "<COMPOSED"},
    ("song", "producer"): {"left": "PRODUCED_BY", "right": "PRODUCER"},
    ("song", "album"): {"left": "ON_ALBUM", "right": "<TRACKLIST"},
    ("album", "artist"): {"left": "RELEASED_BY", "right": "ARTIST"},
    ("artist", "parents"): {"right": "CHILD_OF"},
}
TARGETS = {"remake_of": "film", "album": "album"}  # of the roles that do not name artists
SPLITS = {"train": 0.5, "valid": 0.2, "test": 0.3}

# The noise: how often ...
ONE_SIDED_EDGE = 0.17  # ... a side lacks an edge that the other has
MISSING = 0.12  # ... an attribute other than the name is missing
LAST_FIRST = 0.45  # ... the left writes a person as "Last, First"
LATE_ARTICLE = 0.4  # ... the left writes a title as "Fly, The"
NO_PUNCTUATION = 0.3  # ... the right leaves punctuation out of a title
EARLIER_YEAR = 0.06  # ... the left has the year before: that of the first showing, or of the recording
OTHER_LENGTH = 0.35  # ... the right measures a length a little differently

Id = tuple[str, str]  # type, key in facts.toml


@dataclass
class Entity:
    """A fact and the sides that it is on."""

    id: Id
    fact: dict[str, Any]
    sides: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        """Key of LABELS."""
        return self.id[0]

    @property
    def keep(self) -> bool:
        """Whether the noise spares it."""
        return bool(self.fact.get("keep"))

    def uid(self, side: str) -> str:
        """Key on a side; says nothing of the key on the other."""
        return f"{side[0]}:{_digest(f'{side} of media', *self.id)[:10]}"


@dataclass
class Edge:
    """A role of a fact, from the entity that has it; the sides that could know it, and those that do."""

    role: str
    source: Entity
    target: Entity
    possible: set[str]
    sides: set[str]


def build(facts: dict[str, Any], folder: Path) -> None:
    """Write the five data files to a folder."""
    entities = {entity.id: entity for entity in _entities(facts)}
    edges = _with_shared_neighbours(entities.values(), list(_edges(entities)))
    for edge in edges:
        edge.source.sides |= edge.sides
        edge.target.sides |= edge.sides
    for side in SIDES:
        here = sorted((e for e in entities.values() if side in e.sides), key=lambda e: e.uid(side))
        with (folder / f"{side}.nodes.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(_node(e, side), ensure_ascii=False) + "\n" for e in here)
        rows = sorted(_row(edge, side) for edge in edges if side in edge.sides)
        _write_csv(folder / f"{side}.edges.csv", ["source", "relation", "target"], rows)
    _write_csv(folder / "gold.csv", ["left", "right", "split", "type"], sorted(_gold(entities.values())))


def _entities(facts: dict[str, Any]) -> Iterator[Entity]:
    named = {name for work in chain(*facts["works"].values()) for name in _artists(work)}
    for name in sorted(named | set(facts["artists"])):
        yield Entity(("artist", name), {"title": _without_note(name)} | facts["artists"].get(name, {}))
    for plural, works in facts["works"].items():
        for work in works:
            note = f", {work['note']}" if "note" in work else ""
            key = f"{work['title']} ({work['date'][:4]}{note})"
            yield Entity((plural.removesuffix("s"), key), work, _allowed(work))


def _edges(entities: dict[Id, Entity]) -> Iterator[Edge]:
    for source in list(entities.values()):
        for role in (role for of, role in RELATIONS if of == source.type and role in source.fact):
            values = source.fact[role]
            for key in values if isinstance(values, list) else [values]:
                target = entities[TARGETS.get(role, "artist"), key]
                possible = _allowed(source.fact) & _allowed(target.fact) & set(RELATIONS[source.type, role])
                edge = Edge(role, source, target, possible, set(possible))
                edge.sides -= _lost(edge)
                yield edge


def _lost(edge: Edge) -> set[str]:
    """Side on which noise takes an edge; it takes none that says who performs a song."""
    spared = edge.source.keep or edge.target.keep or edge.role == "artist"
    if spared or len(edge.sides) < len(SIDES):
        return set()
    chance = _chance("edge", edge.role, *edge.source.id, *edge.target.id)
    return {"left"} if chance < ONE_SIDED_EDGE else {"right"} if chance > 1 - ONE_SIDED_EDGE else set()


def _with_shared_neighbours(entities: Iterable[Entity], edges: list[Edge]) -> list[Edge]:
    """Give back one edge to each entity that is on both sides and shares none, where there is one."""
    around: dict[Id, list[Edge]] = defaultdict(list)
    for edge in edges:
        around[edge.source.id].append(edge)
        around[edge.target.id].append(edge)
    for entity in entities:
        near = around[entity.id]
        sides = entity.sides.union(*(edge.sides for edge in near))
        if len(sides) == len(SIDES) and not any(len(edge.sides) == len(SIDES) for edge in near):
            given_back = next((edge for edge in near if len(edge.possible) == len(SIDES)), None)
            if given_back:
                given_back.sides = given_back.possible
    return edges


def _node(entity: Entity, side: str) -> dict[str, Any]:
    fact, kind = entity.fact, entity.type
    label = LABELS[kind][side]
    names = {"name": _name(entity, side)} if kind == "artist" else {}
    if side == "left":
        date = fact.get("born" if kind == "artist" else "date")
        year = int(date[:4]) - (kind in ("film", "song") and _noise(entity, EARLIER_YEAR, "year")) if date else None
        values = {
            "film": {"year": year, "runtime": fact.get("minutes"), "genre": fact.get("genre")},
            "artist": {"birth_year": year},
            "song": {"year": year, "length": fact.get("seconds")},
            "album": {"year": year},
        }[kind]
        names = names or {"title": _name(entity, side)}
    else:
        values = {
            "film": {"released": fact.get("date"), "minutes": _length(entity, "minutes", 2)}
            | {"country": fact.get("country", "USA")},
            "artist": {"born": fact.get("born")},
            "song": {"published": fact.get("date"), "seconds": _length(entity, "seconds", 3)},
            "album": {"released": fact.get("date"), "kind": fact.get("kind")},
        }[kind]
        names = names or {"name": _name(entity, side)}
    known = {k: v for k, v in values.items() if v is not None and not _noise(entity, MISSING, side, k)}
    return {"uid": entity.uid(side), "type": label, **names, **known}


def _name(entity: Entity, side: str) -> str:
    fact = entity.fact
    if side in fact:
        return str(fact[side])
    title: str = fact["title"]
    if side == "left":
        if entity.type == "artist":
            person = not fact.get("group") and _noise(entity, LAST_FIRST, "last, first")
            return _last_first(title) if person else title
        late = entity.type in ("film", "album") and _noise(entity, LATE_ARTICLE, "article")
        return _late_article(title) if late else title
    title = _without_accents(title).replace("&", "and")
    bare = entity.type != "artist" and _noise(entity, NO_PUNCTUATION, "punctuation")
    return "".join(c for c in title if c not in ".,:!'\"") if bare else title


def _last_first(name: str) -> str:
    words = name.removesuffix(" Jr.").split()
    particles = ("de", "del", "von", "van", "le")
    last = next((i for i, word in enumerate(words) if i and word.lower() in particles), len(words) - 1)
    first = " ".join(words[:last]) + (" Jr." if name.endswith(" Jr.") else "")
    return f"{' '.join(words[last:])}, {first}" if first else name


def _late_article(title: str) -> str:
    article, _, rest = title.partition(" ")
    return f"{rest}, {article}" if article in ("The", "A") else title


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _without_note(key: str) -> str:
    return key.partition(" (")[0]


def _length(entity: Entity, unit: str, most: int) -> int | None:
    value: int | None = entity.fact.get(unit)
    if value is None or not _noise(entity, OTHER_LENGTH, "length"):
        return value
    step = 1 + int(_chance("step", *entity.id) * most)
    return value + (step if _chance("sign", *entity.id) < 0.5 else -step)


def _row(edge: Edge, side: str) -> list[str]:
    relation = RELATIONS[edge.source.type, edge.role][side]
    ends = [edge.source.uid(side), edge.target.uid(side)]
    source, target = ends[::-1] if relation.startswith("<") else ends
    return [source, relation.removeprefix("<"), target]


def _gold(entities: Iterable[Entity]) -> Iterator[list[str]]:
    """Links of each type in the proportions of SPLITS, after those whose split the facts fix."""
    linked = sorted((e for e in entities if len(e.sides) == len(SIDES)), key=lambda e: _chance("gold", *e.id))
    for kind in LABELS:
        links = [e for e in linked if e.type == kind]
        room = Counter({split: round(share * len(links)) for split, share in SPLITS.items()})
        room.subtract(e.fact["split"] for e in links if "split" in e.fact)
        free = chain.from_iterable([split] * max(count, 0) for split, count in room.items())
        for entity in links:
            split = entity.fact.get("split") or next(free, "train")
            yield [entity.uid("left"), entity.uid("right"), split, kind]


def _artists(work: dict[str, Any]) -> Iterator[str]:
    for role in ("director", "cast", "writer", "music", "artist", "producer"):
        yield from work.get(role, [])


def _allowed(fact: dict[str, Any]) -> set[str]:
    return {fact["only"]} if "only" in fact else set(SIDES)


def _noise(entity: Entity, rate: float, *what: str) -> bool:
    return not entity.keep and _chance(*entity.id, *what) < rate


def _chance(*what: str) -> float:
    return int(_digest(*what)[:12], 16) / 16**12


def _digest(*what: str) -> str:
    return hashlib.sha256("\n".join(what).encode()).hexdigest()


def _write_csv(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    here = Path(__file__).parent
    with (here / "facts.toml").open("rb") as facts_file:
        build(tomllib.load(facts_file), Path(sys.argv[1]) if len(sys.argv) > 1 else here)
