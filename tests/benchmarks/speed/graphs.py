"""Generated pairs of graphs: films and people with names of a realistic spread, edges of any number, hubs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config, parse_config
from neo4j_align.records import Objects
from neo4j_align.store import checks
from neo4j_align.store.database import Database

LOADED_AT_ONCE = 20_000
SYLLABLES = [a + b for a, b in itertools.product("bcdfghjklmnprstvwz", "aeiou")]
MAPPING = {
    "left": {"label": "Left", "key": "uid"},
    "right": {"label": "Right", "key": "uid"},
    "types": [
        {
            "name": kind,
            "left": kind,
            "right": kind,
            "attributes": [
                {"name": "name", "left": "name", "right": "name", "kind": "name"},
                {"name": "note", "left": "note", "right": "note", "kind": "text"},
                {"name": "year", "left": "year", "right": "year", "kind": "number"},
            ],
        }
        for kind in ("Film", "Person")
    ],
    "relations": [{"name": name, "left": name, "right": name} for name in ("ACTED_IN", "DIRECTED")],
}
NODES = "UNWIND $rows AS row CREATE (n:`{side}`:`{kind}`) SET n = row RETURN elementId(n) AS id"
EDGES = """
UNWIND $rows AS row
MATCH (a), (b) WHERE elementId(a) = row[0] AND elementId(b) = row[1]
CREATE (a)-[:`{name}`]->(b)
"""
# Relationships first: with its hubs, a batch of nodes would take more memory than a transaction may.
EMPTY = (
    "MATCH ()-[r]->() WITH r LIMIT 50000 DELETE r RETURN count(*) AS gone",
    "MATCH (n) WITH n LIMIT 50000 DELETE n RETURN count(*) AS gone",
)


@dataclass(frozen=True)
class Size:
    """How large a generated graph is.

    Attributes:
        films, people: of each side; edges: from a person to a film, of each side; hub: of the edges, how many more
            lead from one person to a film each.
    """

    films: int
    people: int
    edges: int
    hub: int = 0

    @property
    def nodes(self) -> int:
        return 2 * (self.films + self.people)

    @property
    def relationships(self) -> int:
        return 2 * (self.edges + self.hub)


def words(count: int, draw: np.random.Generator) -> Objects:
    """Return a vocabulary of made-up words, two to four syllables each, all different."""
    found: dict[str, None] = {}
    while len(found) < count:
        parts = draw.integers(len(SYLLABLES), size=(count, 4))
        length = draw.integers(2, 5, size=count)
        found |= dict.fromkeys(
            "".join(SYLLABLES[part] for part in row[:size]) for row, size in zip(parts, length, strict=True)
        )
    return np.array(list(found)[:count], dtype=object)


def names(count: int, draw: np.random.Generator, vocabulary: Objects, least: int = 2, most: int = 4) -> Objects:
    """Return names of a few words each, drawn as often as words are in texts: by Zipf's law."""
    share = 1 / (10 + np.arange(len(vocabulary)))  # without the offset a tenth of all words would be the first
    picked = draw.choice(len(vocabulary), size=(count, most), p=share / share.sum())
    length = draw.integers(least, most + 1, size=count)
    return np.array([" ".join(vocabulary[row[:size]]) for row, size in zip(picked, length, strict=True)], dtype=object)


def noisy(originals: Objects, draw: np.random.Generator) -> Objects:
    """Return the names as another catalogue writes them: a letter lost in a third of them, words turned in a tenth."""
    chance, place = draw.random(len(originals)), draw.random(len(originals))
    found = originals.copy()
    for row in np.flatnonzero(chance < 1 / 3):
        at = int(place[row] * len(originals[row]))
        found[row] = originals[row][:at] + originals[row][at + 1 :]
    for row in np.flatnonzero(chance > 0.9):
        found[row] = " ".join(reversed(originals[row].split()))
    return found


def config() -> Config:
    return parse_config(MAPPING)


def load(database: Database, size: Size, seed: int = 13) -> None:
    """Empty the database, and fill it with two graphs that describe the same films and people."""
    for text in EMPTY:
        while database.write(text)[0]["gone"]:
            pass
    draw = np.random.default_rng(seed)
    vocabulary = words(20_000, draw)
    called = {"Film": names(size.films, draw, vocabulary), "Person": names(size.people, draw, vocabulary, 2, 3)}
    years = draw.integers(1920, 2025, size=size.films + size.people).tolist()
    ends = _ends(size, draw)
    for side in ("Left", "Right"):
        ids = {}
        for kind, known in called.items():
            given = known if side == "Left" else noisy(known, draw)
            rows = [
                {"uid": f"{side}{kind}{i}", "name": name, "note": f"{name} of {years[i]}", "year": years[i]}
                for i, name in enumerate(given)
            ]
            ids[kind] = _create(database, NODES.replace("{side}", side).replace("{kind}", kind), rows)
        person, film = np.array(ids["Person"], dtype=object), np.array(ids["Film"], dtype=object)
        for name, part in zip(("ACTED_IN", "DIRECTED"), np.array_split(ends, [4 * len(ends) // 5]), strict=True):
            rows = np.stack([person[part[:, 0]], film[part[:, 1]]], axis=1).tolist()
            _create(database, EDGES.replace("{name}", name), rows)
    checks.create_indexes(database, config())
    database.write("CALL db.awaitIndexes(600)")


def _ends(size: Size, draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return who is in which film, (E, 2): people by Zipf's law, as actors are, films evenly, and the hub's."""
    share = 1 / (50 + np.arange(size.people))
    person = draw.choice(size.people, size=size.edges, p=share / share.sum())
    film = draw.integers(size.films, size=size.edges)
    hub = np.stack([np.zeros(size.hub, np.int64), np.arange(size.hub) % size.films], axis=1)
    return np.concatenate([hub, np.stack([person, film], axis=1)])


def _create(database: Database, text: str, rows: Sequence[object]) -> list[str]:
    found = []
    for start in range(0, len(rows), LOADED_AT_ONCE):
        found += [row["id"] for row in database.write(text, rows=rows[start : start + LOADED_AT_ONCE])]
    return found
