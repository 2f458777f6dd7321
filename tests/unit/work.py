"""What the tests give an engine to do; a worker's process imports it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo4j_align.errors import DataError


def times(given: int, item: int) -> int:
    return given * item


def tell(given: None, item: int) -> tuple[int, int]:
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


def mortal(folder: Path, work: Callable[[Any, Any], Any], given: Any, item: Any) -> Any:
    """Do some work; the first process that has done it dies before it can say so."""
    made = work(given, item)
    try:
        (folder / "died").touch(exist_ok=False)
    except FileExistsError:
        return made
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def die(given: None, item: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
