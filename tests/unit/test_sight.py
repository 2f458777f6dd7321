"""What a look compares."""

from __future__ import annotations

import numpy as np
import pytest

from neo4j_align.config import parse_config
from neo4j_align.progress import Stages
from neo4j_align.sight import Graph, Sight
from tests.unit.builders import anchors, config, neighbourhood, nodes


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
