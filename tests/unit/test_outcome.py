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
from neo4j_align.store.links import AT


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
    ("linked", "created", "retired", "said"),
    [
        (0, 0, 132, "Of 132 links this sync would leave 0"),
        (20, 0, 21, "Of 41 links this sync would leave 20"),
        (20, 0, 20, None),
        (0, 0, 10, None),
        (0, 0, 11, "Of 11 links this sync would leave 0"),
        (40, 40, 40, None),  # all keys were renamed
        (30, 25, 70, "Of 75 links this sync would leave 30"),
    ],
)
def test_a_sync_leaves_half_of_the_links(linked: int, created: int, retired: int, said: str | None) -> None:
    counts = {"created": created, "updated": 0, "retired": retired}
    with pytest.raises(DataError, match=said) if said else contextlib.nullcontext():
        refuse_loss(made(linked), counts)


def made(linked: int) -> Any:
    return SimpleNamespace(
        links=pd.DataFrame(columns=[*AT, "alone", "left"]),
        judged=SimpleNamespace(pairs=[None] * 50),
        linked=np.arange(50) < linked,
        target=None,
        drift={},
    )
