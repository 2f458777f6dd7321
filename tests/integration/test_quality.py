"""A floor under the quality on real data, well below what is reached, so that a broken model cannot land."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.conftest import Run, document


@pytest.mark.skipif("ALIGN_DATA" not in os.environ, reason="ALIGN_DATA does not name the folder of the public data")
def test_papers_of_two_libraries(run: Run) -> None:
    data = Path(os.environ["ALIGN_DATA"]) / "dblp-acm"
    run("load", data, "--left-label", "DBLP", "--right-label", "ACM")
    run("init", "--left-label", "DBLP", "--right-label", "ACM")
    run("train", "--labels", data / "pairs.csv")
    found = document(run("align", "--json"))
    assert found["created"] > 2_000
    assert max(found["drift"].values()) < 0.1  # pairs that were labelled one by one are no candidates of a later run

    figures = document(run("evaluate", "--gold", data / "pairs.csv", "--json"))
    assert figures["f1"] > 0.97
    assert figures["pair_completeness"] > 0.99
    assert figures["ece"] < 0.03
