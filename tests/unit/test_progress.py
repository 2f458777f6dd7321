"""What a run says of its stages."""

from __future__ import annotations

import numpy as np

from neo4j_align.progress import Stages, peak_bytes


def test_a_stage_done_twice_is_added_up() -> None:
    stages = Stages()
    for units in (3, 4):
        with stages.stage("score") as advance:
            advance(units)
            advance(10)
    with stages.stage("match"):
        pass
    score = stages.done["score"]
    assert score["count"] == 27
    assert score["per_second"] == round(27 / score["seconds"], 1) if score["seconds"] else score["per_second"] == 0
    assert stages.done["match"]["count"] == 0
    header, *rows = stages.lines()
    assert [row.split()[0] for row in rows] == ["score", "match"]
    assert {len(row) for row in rows} == {len(header)}


def test_memory_that_a_stage_takes_shows_in_its_peak() -> None:
    stages, taken = Stages(), peak_bytes() + 2**25
    with stages.stage("before"):
        pass
    with stages.stage("during"):
        np.ones(taken, np.uint8)
    assert stages.done["during"]["peak_bytes"] >= taken > stages.done["before"]["peak_bytes"]


def test_the_listener_is_told_all() -> None:
    told: list[tuple[str, int, int | None]] = []
    with Stages(listener=lambda *what: told.append(what)).stage("pull", 5) as advance:
        advance(2)
        advance(3)
    assert told == [("pull", 0, 5), ("pull", 2, 5), ("pull", 5, 5)]
