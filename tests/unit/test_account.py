"""A run's account against loops over its pairs."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.records import Verdicts
from neo4j_align.report.charts import degree_bins
from neo4j_align.resolve.account import NEAR, Outcome, account
from neo4j_align.resolve.drift import SCORES
from tests.unit import builders

CONFIG = builders.config(types=2)
COUNT = 6  # entities a side, three of each type
NODES = builders.nodes(list("abcdef"), list("abcdef"), types=[0, 0, 0, 1, 1, 1] * 2)
POSSIBLE = [(left, right) for left in range(COUNT) for right in range(COUNT, 2 * COUNT) if left // 3 == right // 3 - 2]
pair = st.tuples(
    st.sampled_from(POSSIBLE),
    st.sampled_from([-12.0, -3.2, -0.5, 0.0, 0.7, 9.9, 10.0, 15.0]),
    st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.6, 0.9]),
    st.sampled_from(["linked", "", "", "confirmed", "rejected"]),
)
thresholds = st.sampled_from([0.2, 0.5, 0.6, math.inf])


def told(rows: list[Any], least: list[float], degree: list[int]) -> dict[str, Any]:
    decided = {
        what: frozenset(ends for ends, _, _, became in rows if became == what) for what in ("confirmed", "rejected")
    }
    outcome = Outcome(
        builders.pairs([row[0] for row in rows]),
        np.array([row[1] for row in rows], float),
        np.array([row[2] for row in rows], float),
        np.array([row[3] == "linked" for row in rows], bool),
        np.array(least),
        Verdicts(**decided),
    )
    found = account(CONFIG, NODES, np.array(degree, np.int32), outcome)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def kind(row: Any, least: list[float]) -> str:
    (left, _), _, confidence, became = row
    if became:
        return "links" if became == "linked" else "decided"
    return "near" if confidence >= NEAR * min(least[left // 3], 1) else "rejected"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(pair, max_size=12, unique_by=lambda row: row[0]),
    st.lists(thresholds, min_size=2, max_size=2),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 8, 9, 100]), min_size=2 * COUNT, max_size=2 * COUNT),
)
def test_every_table_by_its_definition(rows: list[Any], least: list[float], degree: list[int]) -> None:
    rows = sorted(rows)
    found = told(rows, least, degree)
    kinds = [kind(row, least) for row in rows]

    for name in ("links", "near", "rejected"):
        scores = Counter(
            sum(row[1] >= bound for bound in SCORES) for row, of in zip(rows, kinds, strict=True) if of == name
        )
        assert found["scores"][name] == [scores[place] for place in range(len(SCORES) + 1)]

    for index, name in enumerate(("T0", "T1")):
        mine = [(row, of) for row, of in zip(rows, kinds, strict=True) if row[0][0] // 3 == index]
        assert found["types"][name] == {
            "left": 3,
            "right": 3,
            "candidates": len(mine),
            "compared": len({row[0][0] for row, _ in mine}),
            "near": sum(of == "near" for _, of in mine),
            "eligible": sum(row[2] >= least[index] for row, _ in mine),
            "links": sum(of == "links" for _, of in mine),
            "decided": sum(of == "decided" for _, of in mine),
            "threshold": None if math.isinf(least[index]) else least[index],
        }

    def place(neighbours: int) -> int:
        ranges = [name.rstrip("+").split("-") for name in degree_bins()]
        return max(at for at, ends in enumerate(ranges) if neighbours >= int(ends[0]))

    table = found["degrees"]
    linked = [row for row in rows if row[3] == "linked"]
    assert table["entities"] == [sum(place(degree[left]) == at for left in range(COUNT)) for at in range(9)]
    ends = {row[0][0] for row in linked}
    assert table["linked"] == [sum(place(degree[left]) == at for left in ends) for at in range(9)]
    for at in range(9):
        inside = [row[2] for row in linked if place(min(degree[row[0][0]], degree[row[0][1]])) == at]
        assert table["links"][at] == len(inside)
        assert table["median"][at] == (pytest.approx(float(np.median(inside)), abs=1e-4) if inside else None)
        assert not inside or table["low"][at] <= table["median"][at] <= table["high"][at]


def test_the_bins_of_neighbours_have_names() -> None:
    assert degree_bins() == ["0", "1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65+"]
