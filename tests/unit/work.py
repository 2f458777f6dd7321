"""What the tests give an engine to do; a worker's process imports it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from neo4j_align.errors import DataError
from neo4j_align.gnn import score, together, train
from neo4j_align.gnn.model import Network
from neo4j_align.gnn.tensors import Weights


def times(given: int, item: int) -> int:
    return given * item


def tell(given: None, item: int) -> tuple[int, int]:
    time.sleep(0.1)  # else the first worker has told all before the second is there
    return item, os.getpid()


def refuse(given: None, item: int) -> int:
    if item:
        raise DataError("The third film has no name. Give it one.")
    return item


def divide(given: int, item: int) -> float:
    return given / item


def begin(folder: Path, item: int) -> int:
    """Leave a note that this item was begun, and take a while."""
    (folder / str(item)).touch()
    time.sleep(0.1)
    return item


def last(seconds: int, item: int) -> int:
    time.sleep(seconds)
    return item


def mortal(folder: Path, driver: int, work: Callable[[Any, Any], Any], given: Any, item: Any) -> Any:
    """Do some work; the first process but the driver's that has done it dies before it can say so."""
    made = work(given, item)
    if os.getpid() == driver:
        return made
    try:
        (folder / "died").touch(exist_ok=False)
    except FileExistsError:
        return made
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def learn(lesson: train.Lesson, advance: Callable[[int], None]) -> tuple[int, Weights, Weights, list[float]]:
    """Return how many processes work, the gradients by all pairs, and what training makes of it."""
    return together.count(), gradients(lesson), *train.train(lesson, advance)


def gradients(lesson: train.Lesson) -> Weights:
    """Return logits, and the gradient of each parameter by all pairs: as `train` works them out."""
    torch.manual_seed(13)
    network = Network(lesson.shape)
    pairs, features = score.indices(lesson.examples.pairs), torch.from_numpy(lesson.examples.features.copy())
    network.comparison.standardise(features)
    nn.init.normal_(network.head[-1].get_parameter("weight"))  # which is zero at first, and so would gradients be

    def judge(rows: torch.Tensor) -> torch.Tensor:
        encoded = score.encode(network, lesson.entities, pairs[rows])
        return network.forward(lesson.entities, encoded, pairs[rows], features[rows])

    rows, portion = together.share(torch.arange(len(pairs)))
    same = torch.from_numpy(lesson.examples.same).float()
    judging = together.judging(network, judge)
    found = judging(rows)
    (functional.binary_cross_entropy_with_logits(found, same[rows]) * portion).backward()
    whole = together.gathered(found.detach(), len(pairs)).numpy()
    named = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {"found": whole} | {name: one.numpy() for name, one in named.items() if one is not None}


def tell_all(given: None, advance: Callable[[int], None]) -> int:
    return os.getpid()


def misjudge(lesson: object, advance: Callable[[int], None]) -> None:
    raise DataError("The third film has no name. Give it one.")


def die(given: None, item: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
