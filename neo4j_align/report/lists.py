"""Links that are worth a look, with what their two ends say side by side. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

from neo4j_align import text
from neo4j_align.config import Attribute, Config
from neo4j_align.numeric import to_dates, to_numbers
from neo4j_align.records import LEFT, RIGHT, SURE, IntArray, Nodes, Objects

SHOWN = 15  # links of a list
LONGEST = 80  # characters of a value on the page
_ALIKE = 90  # similarity of 100 from which two texts agree
_NEAR = 0.02  # of the larger, how far apart two numbers may be that agree
_JOINERS = "\u200c\u200d"  # format characters that scripts are written with
_EITHER, _DIFFER, _AGREE = -1, 0, 1  # either end lacks it


@dataclass(frozen=True)
class Value:
    """What the two ends say of an attribute that both have."""

    name: str
    left: str
    right: str
    agree: bool


@dataclass(frozen=True)
class Pair:
    """A link or near miss, ready to be shown: keys and names of both ends, and `why` it is no link."""

    type: str
    keys: tuple[str, str]
    names: tuple[str, str]
    confidence: float
    score: float | None
    why: str
    attributes: Sequence[Value]


def placed(nodes: Nodes, links: pd.DataFrame) -> pd.DataFrame:
    """Add the places of both ends, `l` and `r`, by the keys `left` and `right`; links with a lost end are left out."""
    ends = {
        name: nodes.index(side).reindex(pd.Index(links[key], dtype=object)).fillna(-1).to_numpy(np.int64)
        for name, key, side in (("l", "left", LEFT), ("r", "right", RIGHT))
    }
    found = links.assign(**ends)
    return found[(found["l"] >= 0) & (found["r"] >= 0)]


def uncertain(links: pd.DataFrame) -> pd.DataFrame:
    """Return the links whose confidence is nearest to one half."""
    return links.assign(away=(links["confidence"].astype(float) - 0.5).abs()).sort_values(["away", "pair"])[:SHOWN]


def surprising(config: Config, nodes: Nodes, links: pd.DataFrame) -> pd.DataFrame:
    """Return sure links of which the fewest attributes agree, and of those the most differ; the highest score first."""
    sure = links[links["confidence"].astype(float) >= SURE]
    verdicts = agreement(config, nodes, sure["l"].to_numpy(np.int64), sure["r"].to_numpy(np.int64))
    agree, differ = ((verdicts == what).sum(axis=1) for what in (_AGREE, _DIFFER))
    order = ["agree", "differ", "score", "pair"]
    ranked = sure.assign(agree=agree, differ=differ).sort_values(order, ascending=[True, False, False, True])
    return ranked[(ranked["differ"] > 0) | (ranked["agree"] == 0)][:SHOWN]


def agreement(config: Config, nodes: Nodes, left: IntArray, right: IntArray) -> npt.NDArray[np.int8]:
    """Tell of each pair and attribute whether the two ends agree (1), differ (0), or one of them lacks it (-1).

    Returns:
        (P, S), in the order of `config.slots`.
    """
    columns = []
    for slot in config.slots:
        one, other = (nodes.attributes[slot.name][ends] for ends in (left, right))
        both = ~(pd.isna(one) | pd.isna(other))
        verdict = np.full(len(left), _EITHER, np.int8)
        verdict[both] = _alike(slot, one[both], other[both])
        columns.append(verdict)
    return np.stack(columns, axis=1) if columns else np.zeros((len(left), 0), np.int8)


def _alike(slot: Attribute, one: Objects, other: Objects) -> npt.NDArray[np.int8]:
    """Compare values that are there; where a number or day cannot be read, as text."""
    folded = [text.map_unique(text.fold, values).tolist() for values in (one, other)]
    similar = process.cpdist(*folded, scorer=fuzz.token_sort_ratio, dtype=np.float32) >= _ALIKE
    if slot.kind in ("number", "date"):
        a, b = (to_dates(values) if slot.kind == "date" else to_numbers(values) for values in (one, other))
        read = ~(np.isnan(a) | np.isnan(b))
        a, b = np.where(read, a, 0), np.where(read, b, 0)
        close = np.abs(a - b) <= _NEAR * np.maximum(np.abs(a), np.abs(b))
        similar = np.where(read, np.floor(a) == np.floor(b) if slot.kind == "date" else close, similar)
    return similar.astype(np.int8)


def shown(config: Config, nodes: Nodes, links: pd.DataFrame) -> list[Pair]:
    """Return links for the page, with the attributes of both ends."""
    verdicts = agreement(config, nodes, links["l"].to_numpy(np.int64), links["r"].to_numpy(np.int64))
    return [_pair(config, nodes, link, mine) for link, mine in zip(links.to_dict("records"), verdicts, strict=True)]


def _pair(config: Config, nodes: Nodes, link: dict[Any, Any], verdicts: npt.NDArray[np.int8]) -> Pair:
    left, right = link["l"], link["r"]
    return Pair(
        type=clean(config.type_names[nodes.type[left]]),
        keys=(clean(nodes.keys[left]), clean(nodes.keys[right])),
        names=(clean(nodes.names[left] or nodes.keys[left]), clean(nodes.names[right] or nodes.keys[right])),
        confidence=float(link["confidence"]),
        score=None if pd.isna(link["score"]) else float(link["score"]),
        why=link.get("why", ""),
        attributes=[
            Value(clean(slot.name), clean(values[left]), clean(values[right]), bool(verdict))
            for slot, verdict in zip(config.slots, verdicts.tolist(), strict=True)
            if verdict != _EITHER
            for values in [nodes.attributes[slot.name]]
        ],
    )


def clean(value: object) -> str:
    """Return a value as text for a page: without control and format characters, and no longer than a line."""
    long = str(value)[: LONGEST + 1]
    kept = "".join(c for c in long if c in _JOINERS or not unicodedata.category(c).startswith("C"))
    return kept[:LONGEST] + "…" if len(long) > LONGEST else kept
