"""Memory on disk: a folder of plain arrays and one JSON file; no pickle. It may always be deleted.

Texts are one long text with the places where each begins, so that a million of them load in a second. The folder is
replaced in one step: a killed process leaves the old one or the new one.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from neo4j_align import __version__
from neo4j_align.memory import Glimpse, Memory
from neo4j_align.records import Anchors, Links, Neighbourhood, Nodes, Objects
from neo4j_align.sight import Graph
from neo4j_align.store.pools import Blocked
from neo4j_align.store.prints import Prints
from neo4j_align.views import Views

log = logging.getLogger(__name__)
_ABOUT, _TEXTS, _MATRIX = "memory.json", ("text", "start", "kind"), ("data", "indices", "indptr", "shape")
_CLASSES = (Memory, Graph, Nodes, Neighbourhood, Views, Glimpse, Anchors, Blocked, Links, Prints)
_KINDS = {kind.__name__: kind for kind in _CLASSES}
_MISSING, _TEXT, _NUMBER = 0, 1, 2
_MADE = {"version": __version__, "format": 4}  # 4: how many a left entity may meet in blocking


def beside(model: Path) -> Path:
    """Return where runs by the model of a folder leave their memory: beside that folder."""
    return model.with_name(f"{model.name}.memory")


def save(folder: Path, memory: Memory, about: dict[str, Any]) -> None:
    """Write a memory, and what it is of, in the place of what is there; where that fails, warn of it."""
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        tree = _write(fresh, "memory", memory)
        document = {**_MADE, **about, "tree": tree}
        (fresh / _ABOUT).write_text(json.dumps(document), encoding="utf-8")
        _flush(fresh)
        forget(folder)
        fresh.rename(folder)
    except OSError as error:
        log.warning("The next sync has to judge the whole graph: %s cannot be written (%s)", folder, error)
        shutil.rmtree(fresh, ignore_errors=True)


def forget(folder: Path) -> None:
    """Delete a memory, its JSON file first, so that half of one is none."""
    (folder / _ABOUT).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def load(folder: Path, about: dict[str, Any]) -> Memory | None:
    """Read what `save` wrote; None where there is nothing, or it is of something else, or damaged."""
    try:
        document = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if {**_MADE, **about}.items() <= document.items():
            memory: Memory = _read(folder, document["tree"])
            return memory
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read, so the whole graph is judged: %s", folder, error)
    return None


def _flush(folder: Path) -> None:
    """See that files are on the disk, all at once: the database will soon say that they are here."""
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())


def _write(folder: Path, name: str, value: Any) -> Any:
    """Write a part of a memory, and return what reads it again: file names, in the shape of the memory."""
    if dataclasses.is_dataclass(value):
        fields = {part: _write(folder, f"{name}.{part}", one) for part, one in _fields(value)}
        return {"is": type(value).__name__, "fields": fields}
    if isinstance(value, dict):
        return {
            "dict": {key: _write(folder, f"{name}.{number}", one) for number, (key, one) in enumerate(value.items())}
        }
    if isinstance(value, tuple):
        return [_write(folder, f"{name}.{number}", one) for number, one in enumerate(value)]
    if sparse.issparse(value):
        parts: dict[str, npt.NDArray[Any]] = {part: np.asarray(getattr(value, part)) for part in _MATRIX}
        return {"matrix": _save_all(folder, name, parts)}
    if value.dtype == object:
        return {"texts": _save_all(folder, name, dict(zip(_TEXTS, _flat(value), strict=True)))}
    return _save(folder, name, value)


def _fields(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]


def _save_all(folder: Path, name: str, parts: dict[str, npt.NDArray[Any]]) -> dict[str, str]:
    return {part: _save(folder, f"{name}.{part}", column) for part, column in parts.items()}


def _save(folder: Path, name: str, column: npt.NDArray[Any]) -> str:
    with (folder / f"{name}.npy").open("wb") as file:
        np.save(file, column, allow_pickle=False)
    return f"{name}.npy"


def _read(folder: Path, tree: Any) -> Any:
    if isinstance(tree, str):
        return np.load(folder / tree, mmap_mode="r", allow_pickle=False)
    if isinstance(tree, list):
        return tuple(_read(folder, one) for one in tree)
    if "is" in tree:
        return _KINDS[tree["is"]](**{name: _read(folder, one) for name, one in tree["fields"].items()})
    if "dict" in tree:
        return {key: _read(folder, one) for key, one in tree["dict"].items()}
    (kind, names), *_ = tree.items()
    parts = {name: _read(folder, one) for name, one in names.items()}
    if kind == "texts":
        return _apart(*(parts[name] for name in _TEXTS))
    shape = tuple(parts["shape"].tolist())
    return sparse.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape, copy=False)


def _flat(values: Objects) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return texts, whole numbers and None as one text in UTF-8, where each begins, (N + 1,), and its kind."""
    missing = pd.isna(values)
    kinds = np.where(missing, _MISSING, _TEXT).astype(np.int8)
    texts = np.where(missing, "", values).tolist()
    if pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):  # it asks a million in no time
        kinds[[isinstance(text, int) for text in texts]] = _NUMBER
        texts = list(map(str, texts))
    start = np.r_[0, np.cumsum(list(map(len, texts)), dtype=np.int64)]
    whole = np.frombuffer("".join(texts).encode("utf-8", "surrogatepass"), np.uint8)
    return whole, start, kinds


def _apart(whole: npt.NDArray[Any], start: npt.NDArray[Any], kinds: npt.NDArray[Any]) -> Objects:
    text, ends = whole.tobytes().decode("utf-8", "surrogatepass"), start.tolist()
    values = np.empty(len(kinds), dtype=object)
    values[:] = [text[a:b] for a, b in itertools.pairwise(ends)]
    values[kinds == _MISSING] = None
    for row in np.flatnonzero(kinds == _NUMBER):
        values[row] = int(values[row])
    return values
