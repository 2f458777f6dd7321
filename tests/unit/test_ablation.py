"""A pair judged again in its surroundings, against the whole graph judged again."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
import torch

from neo4j_align.ablation import Removal, rescore
from neo4j_align.config import Config, parse_config
from neo4j_align.gnn import features, rivals, score
from neo4j_align.gnn.calibrate import Curve
from neo4j_align.gnn.model import Comparison, Network, Shape
from neo4j_align.gnn.saved import About, Model
from neo4j_align.operating import Operating
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, Neighbourhood, Pairs
from neo4j_align.sight import Graph, Look, Scene, Sight
from neo4j_align.store import candidates
from tests.unit.builders import anchors, config, neighbourhood, nodes, objects

SIDE = 24  # entities a side
WORDS = ["red", "river", "night", "gold", "war", "moon", "house", "king", "sea", "dust"]


def _config() -> Config:
    attributes = [
        {"name": "name", "left": "name", "right": "title", "kind": "name"},
        {"name": "year", "left": "year", "right": "year", "kind": "number"},
        {"name": "place", "left": "place", "right": "place", "kind": "text"},
    ]
    document = config(relations=2).model_dump(mode="json")
    document["types"][0]["attributes"] = attributes
    return parse_config(document)


def _graph() -> tuple[Graph, Anchors]:
    """Return two graphs of one kind of entity, each with neighbours on its side, and some counterparts."""
    luck = np.random.default_rng(13)
    names = [" ".join(luck.choice(WORDS, 2)) for _ in range(2 * SIDE)]
    values = {
        "name": names,
        "year": [str(1950 + number) for number in luck.integers(0, 60, 2 * SIDE)],
        "place": [str(word) for word in luck.choice(WORDS, 2 * SIDE)],
    }
    around = [
        [(int(at) + owner // SIDE * SIDE, int(luck.choice([1, 2, -1]))) for at in luck.choice(SIDE, 3, replace=False)]
        for owner in range(2 * SIDE)
    ]
    known = anchors(2 * SIDE, {(at, SIDE + at): 0.95 if at % 2 else 0.6 for at in range(SIDE // 2)})
    entities = nodes(names[:SIDE], names[SIDE:], attributes=values)
    return Graph(entities, neighbourhood(around), np.ones((1, 5), np.float32)), known


@pytest.fixture(scope="module")
def seen() -> tuple[Sight, Scene, Look, Model]:
    """A graph, as it is judged by a network of random weights that matters."""
    sight, (graph, known) = Sight(_config(), Stages()), _graph()
    views, weights = sight.view(graph, None)
    scene = sight.scene(graph, views, weights, known)
    look = sight.look(scene, [True])
    maps = features.map_count(sight.config)
    shape = Shape(width=8, types=1, maps=maps, features=len(look.names), dropout=0)
    torch.manual_seed(13)
    network, first = Network(shape), Comparison(shape)
    network.comparison.standardise(torch.from_numpy(look.evidence))
    for parameter in network.head[-1].parameters():
        torch.nn.init.normal_(parameter)
    about = About(
        config=sight.config, shape=shape, curves=(Curve(),), thresholds=(0.5,), operating=(Operating(),),
        exclusive=(True,), first=(Curve(),), judged=(True,), features=look.names, training={},
    )  # fmt: skip
    return sight, scene, look, Model(first.eval(), network.eval(), weights, graph.means, about)


def _judged(
    sight: Sight, scene: Scene, pairs: Pairs, model: Model, taken: rivals.Features | None = None
) -> npt.NDArray[np.float64]:
    """Return the scores of pairs as `Looks` gives them."""
    evidence, _ = sight.evidence(scene, pairs, rivals.places(pairs), taken)
    network, entities = score.exact(model.network, scene.readable)
    both = score.indices(pairs)
    return score.logits(network, entities, score.encode_once(network, entities, both, lambda _: None), both, evidence)


def _without(scene: Scene, pair: tuple[int, int], removal: Removal) -> Graph:
    """Take an evidence out of the whole graph."""
    entities, drawn = scene.graph.nodes, scene.graph.neighbourhood
    values = {name: column.copy() for name, column in entities.attributes.items()}
    names = entities.names.copy()
    if removal.slot is not None:
        values[removal.slot][list(pair)] = None
        if removal.slot == "name":
            names[list(pair)] = None
    lists = [
        [
            (int(at), int(code))
            for at, code in zip(drawn.neighbours[owner], drawn.relations[owner], strict=True)
            if at >= 0 and (owner, at) not in ((pair[0], removal.left), (pair[1], removal.right))
        ]
        for owner in range(len(entities))
    ]
    changed = dataclasses.replace(entities, names=objects(list(names)), attributes=values)
    return Graph(changed, neighbourhood(lists), scene.graph.means)


def test_whom_the_first_look_took_for_a_counterpart_is_an_evidence(seen: tuple[Sight, Scene, Look, Model]) -> None:
    """Without it the pair is judged as if neither were sure of anyone, and the anchors around it are as before."""
    sight, scene, look, model = seen
    known, moved = scene.known, []
    nothing = np.zeros((len(look.pairs), 2), np.float32), ("taken most", "taken least")
    whole, free = (_judged(sight, scene, look.pairs, model, taken) for taken in (None, nothing))
    for row in range(0, len(look.pairs), 7):
        pair = int(look.pairs.left[row]), int(look.pairs.right[row])
        fell, _ = rescore(sight, model, scene, pair, [Removal(), Removal(taken=True)], look.pairs).lost(1)
        assert fell == pytest.approx(whole[row] - free[row], abs=1e-6)
        others = [known.twin[end] >= 0 and known.twin[end] != other for end, other in (pair, pair[::-1])]
        assert (abs(fell) > 1e-6) == any(others)
        moved.append(any(others))
    assert {True, False} <= set(moved)


def _removals(drawn: Neighbourhood, pair: tuple[int, int]) -> list[Removal]:
    one, other = (drawn.neighbours[end][drawn.neighbours[end] >= 0].tolist() for end in pair)
    alone = [Removal(left=one[0]), Removal(right=other[0])]
    return [Removal(), Removal("name"), Removal("year"), Removal("place"), *alone, Removal(None, one[1], other[1])]


def test_a_pair_of_which_nothing_is_taken_has_its_score(seen: tuple[Sight, Scene, Look, Model]) -> None:
    sight, scene, look, model = seen
    whole = _judged(sight, scene, look.pairs, model)
    assert np.ptp(whole) > 0.3
    for row, pair in enumerate(zip(look.pairs.left.tolist(), look.pairs.right.tolist(), strict=True)):
        again = rescore(sight, model, scene, pair, [Removal()], look.pairs)
        assert again.scores[0] == pytest.approx(whole[row], abs=1e-6)
        assert abs(again.scores[0] - again.comparison) > 1e-6
        assert [weights.sum() for weights in again.weights] == pytest.approx([1, 1])


def test_a_pair_without_an_evidence_is_judged_as_in_a_graph_without_it(seen: tuple[Sight, Scene, Look, Model]) -> None:
    """The oracle takes it out of the whole graph: the same candidates and anchors, all else made anew.

    The two differ by what others see of the pair, where the pair sees these: a neighbour of whom it is a neighbour.
    """
    sight, scene, look, model = seen
    claimed, real = [], []
    for row in np.random.default_rng(13).choice(len(look.pairs), 12, replace=False).tolist():
        pair = int(look.pairs.left[row]), int(look.pairs.right[row])
        removals = _removals(scene.graph.neighbourhood, pair)
        again = rescore(sight, model, scene, pair, removals, look.pairs)
        for at, removal in enumerate(removals[1:], start=1):
            graph = _without(scene, pair, removal)
            views, _ = sight.view(graph, scene.weights)
            without = sight.scene(graph, views, scene.weights, scene.known)
            pairs = candidates.pairs(without.views, look.pairs.left, look.pairs.right)
            claimed.append(again.lost(at)[0])
            real.append(again.scores[0] - _judged(sight, without, pairs, model)[row])
    off = np.abs(np.subtract(claimed, real))
    assert np.median(off) < 0.01 * np.abs(real).mean()
    assert off.mean() < 0.1 * np.abs(real).mean()
    assert np.corrcoef(claimed, real)[0, 1] > 0.98
