"""Entities once more with their names hidden or damaged: what a model that teaches itself has to learn without names.

Its first labels are entities that alone bear a name, so to it an equal name is all there is to know. Of each it sees a
veiled copy beside the original, with the same neighbours: half of them nameless, half with a word or a letter less.
To half of all copies nobody lends a number either: where much bears a unique name, few entities are without such, and
a model would take that for a sign of a wrong counterpart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.records import Anchors, IntArray, Neighbourhood, Nodes, Objects


@dataclass(frozen=True)
class Veiled:
    """A graph with veiled copies of some of its N entities behind it.

    Attributes:
        nodes, neighbourhood, anchors: of N + M entities; nobody has a copy as neighbour. A copy has its original's
            identity, else the original around it would be evidence: it has the number of the counterpart.
        copy: (N,), index of an entity's copy, -1 where there is none.
        unlent: indices of the copies to whom no number is lent.
    """

    nodes: Nodes
    neighbourhood: Neighbourhood
    anchors: Anchors
    copy: IntArray
    unlent: IntArray


def veil(
    config: Config, nodes: Nodes, neighbourhood: Neighbourhood, anchors: Anchors, chosen: IntArray, seed: int
) -> Veiled:
    """Veil the entities `chosen`, (M,), sorted; a hash of seed and key says how."""
    count = len(nodes)
    keys = np.array([str(key) for key in nodes.keys[chosen]], dtype=object)
    luck = pd.util.hash_array(keys, hash_key=f"{seed:016d}"[-16:])
    names = _veiled(nodes.names[chosen], luck)
    attributes = {name: np.append(values, values[chosen]) for name, values in nodes.attributes.items()}
    for index, entity_type in enumerate(config.types):
        if entity_type.name_attribute is not None:
            mine = np.flatnonzero(nodes.type[chosen] == index)
            attributes[entity_type.name_attribute.name][count + mine] = names[mine]
    copy = np.full(count, -1, np.int64)
    copy[chosen] = count + np.arange(len(chosen))
    return Veiled(
        Nodes(
            keys=np.append(nodes.keys, nodes.keys[chosen]),
            side=np.append(nodes.side, nodes.side[chosen]),
            type=np.append(nodes.type, nodes.type[chosen]),
            ids=np.append(nodes.ids, nodes.ids[chosen]),
            names=np.append(nodes.names, names),
            attributes=attributes,
        ),
        Neighbourhood(
            np.concatenate([neighbourhood.neighbours, neighbourhood.neighbours[chosen]]),
            np.concatenate([neighbourhood.relations, neighbourhood.relations[chosen]]),
            np.append(neighbourhood.degree, neighbourhood.degree[chosen]),
        ),
        Anchors(
            np.append(anchors.twin, anchors.identity[chosen]),
            np.append(anchors.confidence, anchors.confidence[chosen]),
        ),
        copy,
        count + np.flatnonzero(luck // 2 % 2),
    )


def _veiled(names: Objects, luck: npt.NDArray[np.uint64]) -> Objects:
    veiled = np.full(len(names), None, dtype=object)
    for at, (name, number) in enumerate(zip(names, luck.tolist(), strict=True)):
        if name is not None and number % 2:
            veiled[at] = _damaged(name, number // 4)
    return veiled


def _damaged(name: str, number: int) -> str:
    """Leave out one word; of a single word, one letter."""
    parts = words if len(words := name.split()) > 1 else list(name)
    lost = number % max(len(parts), 1)
    return (" " if parts is words else "").join(parts[:lost] + parts[lost + 1 :])
