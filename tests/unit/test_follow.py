"""A judgement that follows a change against one from nothing, on random graphs and random edits."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.config import Config, parse_config
from neo4j_align.engine import Given, Item, Local, Made
from neo4j_align.gnn import features, partition, rivals, saved, score
from neo4j_align.gnn.calibrate import Curve
from neo4j_align.gnn.model import Comparison, Network, Shape
from neo4j_align.looks import Judgement, Looks
from neo4j_align.operating import Operating
from neo4j_align.progress import Stages
from neo4j_align.records import LEFT, RIGHT, Neighbourhood, Nodes, Verdicts
from neo4j_align.resolve import anchors
from neo4j_align.sight import Graph
from neo4j_align.store import candidates, pools, reach, sampling
from tests.unit.builders import config, objects

WORDS = ("solaris", "stalker", "mirror", "nostalgia", "ivan", "rublev", "sacrifice", "the", "ii")
SIDES = {LEFT: "l", RIGHT: "r"}


@dataclass
class World:
    """Two graphs that can be edited: entities by side and key, and relationships between them."""

    random: Random
    entities: dict[tuple[int, str], tuple[int, str | None, str | None]] = field(default_factory=dict)
    edges: set[tuple[int, str, int, str]] = field(default_factory=set)
    born: int = 0

    def name(self) -> str | None:
        if self.random.random() < 0.15:
            return None
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 3)))

    def year(self) -> str | None:
        return str(self.random.randint(1960, 1990)) if self.random.random() < 0.5 else None

    def keys(self, side: int) -> list[str]:
        return sorted(key for one, key in self.entities if one == side)

    def add(self) -> None:
        self.born += 1
        side, kind = self.random.choice([LEFT, RIGHT]), self.random.randint(0, 1)
        self.entities[side, f"{self.random.randint(0, 99)}-{self.born}"] = (kind, self.name(), self.year())

    def some(self) -> tuple[int, str]:
        return self.random.choice(sorted(self.entities))

    def remove(self) -> None:
        if all(len(self.keys(side)) > 4 for side in SIDES):
            side, key = self.some()
            del self.entities[side, key]
            self.edges = {edge for edge in self.edges if (side, key) not in ((edge[0], edge[1]), (edge[0], edge[3]))}

    def rename(self) -> None:
        side, key = self.some()
        kind, _, year = self.entities[side, key]
        self.entities[side, key] = (kind, self.name(), year)

    def redate(self) -> None:
        side, key = self.some()
        kind, name, _ = self.entities[side, key]
        self.entities[side, key] = (kind, name, self.year())

    def retype(self) -> None:
        side, key = self.some()
        kind, name, year = self.entities[side, key]
        self.entities[side, key] = (1 - kind, name, year)

    def relate(self) -> None:
        side, key = self.some()
        other = self.random.choice(self.keys(side))
        if other != key:
            self.edges ^= {(side, key, self.random.choice([1, 2]), other)}

    def hub(self) -> None:
        side, key = self.some()
        self.edges |= {(side, other, 1, key) for other in self.keys(side) if other != key}

    def graph(self, mapping: Config) -> Graph:
        rows = sorted((side, kind, key, *told) for (side, key), (kind, *told) in self.entities.items())
        names = objects([row[3] for row in rows])
        entities = Nodes(
            keys=objects([row[2] for row in rows]),
            side=np.array([row[0] for row in rows], np.int8),
            type=np.array([row[1] for row in rows], np.int16),
            ids=np.arange(len(rows)),
            names=names,
            attributes={"name": names, "year": objects([row[4] for row in rows])},
        )
        place = {(side, key): at for at, (side, _, key, *_) in enumerate(rows)}
        ends = [(place[s, a], code, place[s, b]) for s, a, code, b in sorted(self.edges)]
        both = np.array([*ends, *((b, -code, a) for a, code, b in ends)], np.int64).reshape(-1, 3)
        size = mapping.sampling.neighbours
        count, means = len(rows), np.ones((2, 2 * len(mapping.relations) + 1), np.float32)
        drawn = Neighbourhood(
            np.full((count, size), -1, np.int32), np.zeros((count, size), np.int16), np.zeros(count, np.int32)
        )
        luck = sampling.uniform(entities, 0)
        sampling.draw((both[:, 0], both[:, 1], both[:, 2]), entities.type, luck, means, drawn)
        return Graph(entities, drawn, means)


def world(seed: int, count: int = 40) -> World:
    made = World(Random(seed))
    for _ in range(count):
        made.add()
    for side in SIDES:
        while len(made.keys(side)) < 6:
            made.add()
    for _ in range(2 * count):
        made.relate()
    return made


def mapping() -> Config:
    document = config(types=2, relations=2).model_dump(mode="json")
    document["candidates"]["per_entity"] = 2
    document["sampling"]["neighbours"] = 4
    for entity_type in document["types"]:
        entity_type["attributes"].append({"name": "year", "left": "year", "right": "year", "kind": "date"})
    return parse_config(document)


def model(settings: Config, graph: Graph) -> saved.Model:
    """A network that nobody trained, so that each of its weights tells."""
    torch.manual_seed(0)
    sight = Looks(settings, Stages()).sight
    views, weights = sight.view(graph, None)
    scene = sight.scene(graph, views, weights, anchors.of_names(graph.nodes, views.signatures))
    left = np.repeat(np.flatnonzero(graph.nodes.side == LEFT), 3)
    right = Random(0).choices(np.flatnonzero(graph.nodes.side == RIGHT).tolist(), k=len(left))
    every = candidates.pairs(scene.views, left, np.array(right))
    evidence, names = sight.evidence(scene, every, rivals.places(every))
    shape = Shape(width=8, types=2, maps=features.map_count(settings), features=len(names), dropout=0.0)
    first, network = Comparison(shape), Network(shape)
    for comparison in (first, network.comparison):
        comparison.standardise(torch.from_numpy(evidence))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    about = saved.About(
        config=settings, shape=shape, curves=(Curve(),) * 2, thresholds=(0.5,) * 2, operating=(Operating(),) * 2,
        exclusive=(True, False), first=(Curve(slope=8.0),) * 2, judged=(True, False), features=names, training={},
    )  # fmt: skip
    return saved.Model(first.eval(), network.eval(), weights, graph.means, about)


def assert_same(one: Judgement, other: Judgement, edits: list[str]) -> None:
    np.testing.assert_array_equal(one.pairs.left, other.pairs.left, err_msg=str(edits))
    np.testing.assert_array_equal(one.pairs.right, other.pairs.right, err_msg=str(edits))
    np.testing.assert_array_equal(one.pairs.scores, other.pairs.scores, err_msg=str(edits))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-9, err_msg=str(edits))
    for mine, theirs in zip(one.memory.looks, other.memory.looks, strict=True):
        np.testing.assert_array_equal(mine.known.twin, theirs.known.twin, err_msg=str(edits))
        np.testing.assert_array_equal(mine.lent, theirs.lent, err_msg=str(edits))
        assert (mine.blocked.bars <= theirs.blocked.bars + 1e-5).all(), edits  # too low looks again, too high misses
        np.testing.assert_array_equal(mine.scores, theirs.scores, err_msg=str(edits))
        np.testing.assert_array_equal(mine.places, theirs.places, err_msg=str(edits))


class Counting(Local):
    """The local engine, which counts what it is given."""

    items = 0

    def map(
        self, work: Callable[[Given, Item], Made], given: Given, items: Iterable[Item]
    ) -> Generator[Made, None, None]:
        for made in super().map(work, given, items):
            self.items += 1
            yield made


def decided(graph: Graph, random: Random) -> Verdicts:
    """A verdict now and then, on whatever pair."""
    left, right = (np.flatnonzero(graph.nodes.side == side).tolist() for side in SIDES)
    pairs = {(random.choice(left), random.choice(right)) for _ in range(random.randint(0, 2))}
    return Verdicts(frozenset(pairs), frozenset()) if random.random() < 0.5 else Verdicts(frozenset(), frozenset(pairs))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000), size=st.integers(1, 60), times=st.integers(1, 50))
def test_the_size_of_a_partition_and_of_a_batch_of_entities_moves_nothing(seed: int, size: int, times: int) -> None:
    mapped, graph = mapping(), world(seed).graph(mapping())
    taught = model(mapped, graph)
    whole = Looks(mapped, Stages()).judge(graph, taught)
    assert len(whole.pairs) < partition.PAIRS
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(partition, "PAIRS", size)
        patched.setattr(score, "ENCODED_AT_ONCE", times)
        engine = Counting()
        assert_same(Looks(mapped, Stages(), engine).judge(graph, taught), whole, [])
    assert engine.items >= len(whole.pairs) / size


@pytest.mark.parametrize(("budget", "worth"), [(pools.BUDGET, np.inf), (6, np.inf), (6, reach.WORTH)])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000), steps=st.lists(st.lists(st.integers(0, 6), max_size=4), min_size=1, max_size=3))
def test_a_judgement_that_follows_is_one_from_nothing(
    budget: int, worth: float, seed: int, steps: list[list[int]]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reach, "WORTH", worth)
        patched.setattr(pools, "BUDGET", budget)
        patched.setattr(pools, "LITTLE", budget // 2)
        made, mapped = world(seed), mapping()
        judge = Looks(mapped, Stages()).judge
        taught, random = model(mapped, made.graph(mapped)), Random(seed)
        memory, edits = judge(made.graph(mapped), taught).memory, []
        kinds: list[Callable[[], None]] = [
            made.add, made.remove, made.rename, made.retype, made.relate, made.hub, made.redate
        ]  # fmt: skip
        for step in steps:
            for kind in step:
                kinds[kind]()
                edits.append(kinds[kind].__name__)
            graph = made.graph(mapped)
            verdicts = decided(graph, random)
            followed = judge(graph, taught, verdicts, memory)
            assert_same(followed, judge(graph, taught, verdicts), edits)
            memory = followed.memory
