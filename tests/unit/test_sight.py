"""What a look compares."""

from __future__ import annotations

import numpy as np
import pytest

from neo4j_align.config import parse_config
from neo4j_align.progress import Stages
from neo4j_align.resolve.labels import Labels
from neo4j_align.sight import Graph, Sight
from tests.unit.builders import anchors, config, neighbourhood, nodes, objects


@pytest.mark.parametrize(("cardinality", "compared"), [("auto", False), ("one", False), ("many", True)])
def test_a_sure_entity_stays_in_the_pool_where_the_configuration_says_many(cardinality: str, compared: bool) -> None:
    document = config().model_dump(mode="json")
    document["types"][0]["cardinality"] = cardinality
    entities = nodes(["alien", "alien cut", "heat"], ["alien", "ran", "solaris"])
    graph = Graph(entities, neighbourhood([[]] * 6), np.ones((1, 3), np.float32))
    sight = Sight(parse_config(document), Stages())
    views, weights = sight.view(graph, None)

    look = sight.look(sight.scene(graph, views, weights, anchors(6, {(0, 3): 1.0})), [True])
    assert ((1, 3) in zip(look.pairs.left.tolist(), look.pairs.right.tolist(), strict=True)) == compared


def test_types_that_are_not_looked_at_take_nothing_from_the_others() -> None:
    names = ["alien", "alien cut", "heat", "ann lee", "bo lee"]
    entities = nodes(names, names, types=[0, 0, 0, 1, 1] * 2)
    drawn = neighbourhood([*[[(3 + row % 2, 1)] for row in range(3)], [(0, -1)], [(1, -1)]] + [[]] * 5)
    graph = Graph(entities, drawn, np.ones((2, 3), np.float32))
    sight = Sight(config(types=2, relations=1), Stages())
    views, weights = sight.view(graph, None)
    scene = sight.scene(graph, views, weights, anchors(10, {(3, 8): 1.0}))
    nobody = np.zeros(0, np.int64)
    labelled = Labels(nobody, nobody, nobody > 0, objects([]), objects([]), listed=True)

    whole = sight.look(scene, [True, True], labelled)
    people = sight.look(scene, [True, True], labelled, np.array([False, True]))
    of_people = np.flatnonzero(whole.types == 1)
    assert 0 < len(of_people) < len(whole.types)
    assert people.types.tolist() == [1] * len(of_people)
    np.testing.assert_array_equal(people.pairs.left, whole.pairs.left[of_people])
    np.testing.assert_array_equal(people.evidence, whole.evidence[of_people])
