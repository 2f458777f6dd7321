"""A GPU with too little memory: the remedy is said wherever the network works, and other errors are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neo4j_align.errors import EngineError, gpu_memory
from neo4j_align.explain import Explainer
from neo4j_align.pipeline import Aligner
from tests.unit import builders


def full(*_: object) -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


NOWHERE: Any = None
ALIGNER = Aligner(builders.config(), database=NOWHERE)
MODEL: Any = SimpleNamespace(require=full)
EXPLAINER = object.__new__(Explainer)


@pytest.mark.parametrize(
    "work",
    [
        lambda: ALIGNER.train(None, Path("model")),
        lambda: ALIGNER.score(MODEL),
        lambda: EXPLAINER.explain("l", "r"),
    ],
    ids=["train", "judge", "explain"],
)
def test_the_remedy_is_said(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aligner, "_pull", full)
    monkeypatch.setattr(Explainer, "_find", full)
    with pytest.raises(EngineError, match="CUDA_VISIBLE_DEVICES empty"):
        work()


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), gpu_memory():
        raise RuntimeError("shapes differ")
