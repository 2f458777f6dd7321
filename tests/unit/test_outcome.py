"""What a run tells of what it made."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neo4j_align.errors import DataError
from neo4j_align.outcome import alignment, refuse_loss
from neo4j_align.records import Verdicts
from neo4j_align.store.links import AT, Existing
from tests.unit.builders import config


@pytest.mark.parametrize(
    ("linked", "created", "retired", "said"),
    [
        (0, 0, 0, ["nothing is linked"]),
        (0, 0, 132, ["nothing is linked", "more links go (132) than stay (0)"]),
        (40, 30, 11, ["more links go (11) than stay (10)"]),
        (40, 29, 11, []),
        (1, 1, 10, []),
    ],
)
def test_what_hardly_anybody_wants_is_warned_of(
    linked: int, created: int, retired: int, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = made(linked)
    counts = {"created": created, "updated": 0, "retired": retired}
    assert alignment(found, "1", counts).changes == counts
    assert len(caplog.messages) == len(said)
    assert all(part in message for part, message in zip(said, caplog.messages, strict=True))


@pytest.mark.parametrize(
    ("stood", "left", "said"),
    [
        ({"films": 132}, {}, "Of 132 links of the type T0 this sync would leave 0"),
        ({"films": 41}, {"films": 20}, "Of 41 links of the type T0 this sync would leave 20"),
        ({"films": 40}, {"films": 20}, None),
        ({"films": 10}, {}, None),
        ({"films": 11}, {}, "Of 11 links of the type T0 this sync would leave 0"),
        ({"films": 100, "people": 30}, {"films": 100}, "Of 30 links of the type T1 this sync would leave 0"),
        ({"stale": 40}, {"films": 40}, None),  # all keys were renamed
        ({"stale": 40, "gone": 40, "films": 10}, {"films": 10}, "Of 90 links of all types this sync would leave 10"),
        ({"confirmed": 100, "films": 30}, {}, None),  # a person said better
        ({"confirmed": 20, "films": 30}, {}, "Of 50 links of the type T0 this sync would leave 20"),
    ],
)
def test_a_sync_leaves_half_of_the_links(stood: dict[str, int], left: dict[str, int], said: str | None) -> None:
    with pytest.raises(DataError, match=said) if said else contextlib.nullcontext():
        refuse_loss(standing(stood, left))


def standing(stood: dict[str, int], left: dict[str, int]) -> Any:
    """What a sync found where there are 200 films, and 50 people behind them."""
    types = np.repeat(np.array([0, 1], np.int16), [200, 50])
    first = {"films": 0, "people": 200, "confirmed": 100}

    def rows(counts: dict[str, int]) -> list[int]:
        return [first[name] + at for name in ("films", "people") for at in range(counts.get(name, 0))]

    confirmed = frozenset((first["confirmed"] + at, 0) for at in range(stood.get("confirmed", 0)))
    return SimpleNamespace(
        config=config(types=2),
        judged=SimpleNamespace(
            pairs=SimpleNamespace(left=np.arange(250, dtype=np.int32)),
            scene=SimpleNamespace(graph=SimpleNamespace(nodes=SimpleNamespace(type=types))),
        ),
        linked=np.isin(np.arange(250), rows(left)),
        existing=Existing(
            pd.DataFrame({AT[0]: rows(stood) + [-1] * stood.get("gone", 0)}),
            ["a pair"] * stood.get("stale", 0),
            Verdicts(confirmed),
        ),
    )


def made(linked: int) -> Any:
    return SimpleNamespace(
        links=pd.DataFrame(columns=[*AT, "alone", "left"]),
        judged=SimpleNamespace(pairs=[None] * 50),
        linked=np.arange(50) < linked,
        target=None,
        drift={},
    )
