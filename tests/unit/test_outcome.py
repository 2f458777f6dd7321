"""What a run tells of what it made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neo4j_align.outcome import alignment
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
    found: Any = SimpleNamespace(
        links=pd.DataFrame(columns=[*AT, "alone", "left"]),
        judged=SimpleNamespace(pairs=[None] * 50),
        linked=np.arange(50) < linked,
        target=None,
        drift={},
    )
    counts = {"created": created, "updated": 0, "retired": retired}
    assert alignment(found, "1", counts).changes == counts
    assert len(caplog.messages) == len(said)
    assert all(part in message for part, message in zip(said, caplog.messages, strict=True))
