"""Memory on disk: what is read is what was written, and half of one, or one of something else, is none."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from neo4j_align import recall
from neo4j_align.looks import Looks
from neo4j_align.memory import Memory
from neo4j_align.progress import Stages
from tests.unit.builders import objects
from tests.unit.test_follow import assert_same, mapping, model, world

OF = {"model": "m", "config": "c"}


@pytest.fixture(scope="module")
def remembered() -> Memory:
    graph = world(3).graph(mapping())
    return Looks(mapping(), Stages()).judge(graph, model(mapping(), graph)).memory


def assert_equal(one: Any, other: Any) -> None:
    assert type(one) is type(other) or isinstance(one, np.ndarray)
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, tuple):
        for mine, theirs in zip(one, other, strict=True):
            assert_equal(mine, theirs)
    elif sparse.issparse(one):
        assert one.shape == other.shape
        assert (one != other).nnz == 0
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_what_is_read_is_what_was_written(tmp_path: Path, remembered: Memory) -> None:
    recall.save(tmp_path / "memory", remembered, OF)
    found = recall.load(tmp_path / "memory", OF)
    assert found is not None
    assert_equal(found, remembered)


def test_a_judgement_follows_what_was_read(tmp_path: Path, remembered: Memory) -> None:
    made = world(3)
    taught = model(mapping(), made.graph(mapping()))
    recall.save(tmp_path / "memory", remembered, OF)
    for edit in (made.rename, made.remove, made.add, made.relate):
        edit()
    judge, graph = Looks(mapping(), Stages()).judge, made.graph(mapping())
    assert_same(judge(graph, taught, memory=recall.load(tmp_path / "memory", OF)), judge(graph, taught), [])


values = st.one_of(st.none(), st.text(), st.integers(), st.text(alphabet="\ud800\x00é\U0001f600|", max_size=3))


@settings(max_examples=100, deadline=None)
@given(st.lists(values))
def test_texts_come_back(column: list[Any]) -> None:
    assert recall._apart(*recall._flat(objects(column))).tolist() == column


def test_a_memory_of_something_else_is_none(tmp_path: Path, remembered: Memory) -> None:
    recall.save(tmp_path / "memory", remembered, {**OF, "run": "r1"})
    assert recall.load(tmp_path / "memory", {**OF, "run": "r1"}) is not None
    assert recall.load(tmp_path / "memory", {**OF, "run": "r2"}) is None
    assert recall.load(tmp_path / "memory", {**OF, "model": "other"}) is None
    assert recall.load(tmp_path / "elsewhere", OF) is None


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda whole: whole[:-8],
    "changed": lambda whole: whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
    "reordered": lambda whole: whole[:-16] + whole[-8:] + whole[-16:-8],
    "empty": lambda whole: b"",
    "header": lambda whole: whole[:20] + b"(((" + whole[23:],
    "zip": lambda whole: b"PK\3\4" + whole[4:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_said_and_written_anew(
    tmp_path: Path, remembered: Memory, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "memory"
    recall.save(folder, remembered, OF)
    victim = folder / "memory.looks.0.scores.npy"
    victim.write_bytes(DAMAGE[damage](victim.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert recall.load(folder, OF) is None
    assert "so the whole graph is judged" in caplog.text
    recall.save(folder, remembered, OF)
    assert_equal(recall.load(folder, OF), remembered)


def test_a_zero_that_changed_its_sign_is_another(tmp_path: Path, remembered: Memory) -> None:
    for zero in (0.0, -0.0):
        signed = dataclasses.replace(remembered, alone=np.full(3, zero, np.float32))
        recall.save(tmp_path / "memory", signed, OF)
        found = recall.load(tmp_path / "memory", OF)
        assert found is not None
        assert np.signbit(found.alone).tolist() == [bool(np.signbit(zero))] * 3


def test_a_file_is_what_numpy_saves(tmp_path: Path) -> None:
    for column in (
        np.arange(6).reshape(2, 3),
        np.zeros((0, 4), np.int8),
        np.array([True]),
        np.arange(6.0).reshape(2, 3).T,
    ):
        np.save(tmp_path / "column.npy", np.ascontiguousarray(column))
        assert (tmp_path / "column.npy").read_bytes() == b"".join(map(bytes, recall._encoded(column)))


@pytest.mark.parametrize("damage", ["missing", "json"])
def test_half_a_memory_is_none_and_said(
    tmp_path: Path, remembered: Memory, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "memory"
    recall.save(folder, remembered, OF)
    victim = folder / "memory.looks.0.scores.npy"
    if damage == "missing":
        victim.unlink()
    else:
        (folder / "memory.json").write_text("{", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert recall.load(folder, OF) is None
    assert "so the whole graph is judged" in caplog.text


def test_a_folder_that_cannot_be_written_is_warned_of(
    tmp_path: Path, remembered: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        recall.save(tmp_path / "file" / "memory", remembered, OF)
    assert "next sync" in caplog.text


def test_an_array_that_is_as_it_was_keeps_its_file(tmp_path: Path, remembered: Memory) -> None:
    folder = tmp_path / "memory"
    recall.save(folder, remembered, OF)
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    loaded = recall.load(folder, OF)
    other = dataclasses.replace(remembered, alone=remembered.alone + 1)
    recall.save(folder, other, OF)
    moved = {path.name for path in folder.iterdir() if path.stat().st_ino != before[path.name]}
    filled = {path.name for path in folder.glob("*.npy") if np.load(path).size}
    assert moved & filled == {"memory.alone.npy"}
    assert_equal(recall.load(folder, OF), other)
    assert_equal(loaded, remembered)  # what was read before stays readable


def test_where_a_file_cannot_have_two_names_it_is_written(
    tmp_path: Path, remembered: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for _ in range(2):
        recall.save(tmp_path / "memory", remembered, OF)
    assert_equal(recall.load(tmp_path / "memory", OF), remembered)


def test_nothing_else_is_left_behind(tmp_path: Path, remembered: Memory) -> None:
    for _ in range(2):
        recall.save(tmp_path / "memory", remembered, OF)
    assert [path.name for path in tmp_path.iterdir()] == ["memory"]
    recall.forget(tmp_path / "memory")
    assert not list(tmp_path.iterdir())
