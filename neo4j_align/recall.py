"""Memory on disk: a folder of plain arrays and one JSON file; no pickle. It may always be deleted.

Texts are one long text, so that a million of them load in a second. The folder is replaced in one step: a killed
process leaves the old one or the new one. An array that is as it was keeps its file: after a small change most are.
"""

from __future__ import annotations

import dataclasses
import glob
import io
import itertools
import json
import logging
import os
import shutil
import zlib
from collections.abc import Iterable
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
_ABOUT, _TEXTS, _MATRIX = "memory.json", ("text", "ends", "kind"), ("data", "indices", "indptr", "shape")
Bytes = npt.NDArray[np.uint8]
_CLASSES = (Memory, Graph, Nodes, Neighbourhood, Views, Glimpse, Anchors, Blocked, Links, Prints)
_KINDS = {kind.__name__: kind for kind in _CLASSES}
_MISSING, _TEXT, _NUMBER = 0, 1, 2
_MADE = {"version": __version__, "format": 7}  # 7: numbers, and those that are lent


def beside(model: Path) -> Path:
    """Return where runs by the model of a folder leave their memory: beside that folder."""
    return model.with_name(f"{model.name}.memory")


def save(folder: Path, memory: Memory, about: dict[str, Any]) -> None:
    """Write a memory, and what it is of, in the place of what is there; where that fails, warn of it."""
    for left in folder.parent.glob(f"{glob.escape(folder.name)}.*.part"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        fresh.mkdir(parents=True)
        writer = _Writer(fresh, folder)
        document = {**_MADE, **about, "tree": writer.write("memory", memory), "sums": writer.sums}
        (fresh / _ABOUT).write_text(json.dumps(document), encoding="utf-8")
        _flush(fresh)
        forget(folder)
        fresh.rename(folder)
    except OSError as error:
        log.warning("The next sync has to judge the whole graph: %s cannot be written (%s)", folder, error)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def forget(folder: Path) -> None:
    """Delete a memory, its JSON file first, so that half of one is none."""
    (folder / _ABOUT).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def load(folder: Path, about: dict[str, Any]) -> Memory | None:
    """Read what `save` wrote; None where there is nothing, or it is of something else, or, with a warning, damaged."""
    if not (folder / _ABOUT).exists():
        return None
    try:
        document = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if {**_MADE, **about}.items() <= document.items():
            memory: Memory = _read(folder, document["sums"], document["tree"])
            return memory
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read, so the whole graph is judged: %s", folder, error)
    return None


def _flush(folder: Path) -> None:
    """See that files are on the disk, all at once: the database will soon say that they are here."""
    for path in folder.iterdir():
        with path.open("rb" if os.name == "posix" else "r+b") as file:  # somebody may have made an old one read-only
            os.fsync(file.fileno())


@dataclasses.dataclass(frozen=True)
class _Writer:
    """Writes the parts of a memory into a folder, and takes files from another that hold the same.

    Attributes:
        sums: checksums of the files so far, so that no damaged one, and none of another memory, is taken for this.
    """

    folder: Path
    before: Path
    sums: dict[str, int] = dataclasses.field(default_factory=dict)

    def write(self, name: str, value: Any) -> Any:
        """Write a part, and return what reads it again: file names, in the shape of the part."""
        if dataclasses.is_dataclass(value):
            fields = [field.name for field in dataclasses.fields(value)]
            parts = {part: self.write(f"{name}.{part}", getattr(value, part)) for part in fields}
            return {"is": type(value).__name__, "fields": parts}
        if isinstance(value, dict):
            return {"dict": {key: self.write(f"{name}.{at}", one) for at, (key, one) in enumerate(value.items())}}
        if isinstance(value, tuple):
            return [self.write(f"{name}.{at}", one) for at, one in enumerate(value)]
        if sparse.issparse(value):
            return {"matrix": self._all(name, zip(_MATRIX, (getattr(value, part) for part in _MATRIX), strict=True))}
        if value.dtype == object:
            return {"texts": self._all(name, zip(_TEXTS, _flat(value), strict=True))}
        return self._save(name, value)

    def _all(self, name: str, parts: Iterable[tuple[str, Any]]) -> dict[str, str]:
        return {part: self._save(f"{name}.{part}", np.asarray(column)) for part, column in parts}

    def _save(self, name: str, column: npt.NDArray[Any]) -> str:
        file, parts = f"{name}.npy", _encoded(column)
        self.sums[file] = _sum(*parts)
        try:
            if _holds(self.before / file, *parts):
                (self.folder / file).hardlink_to(self.before / file)
                return file
        except OSError:
            pass  # files cannot have two names here
        with (self.folder / file).open("wb") as written:
            for part in parts:
                written.write(part.data)
        return file


def _encoded(column: npt.NDArray[Any]) -> tuple[Bytes, Bytes]:
    """Return an array as `numpy.save` writes it: a header, and the rest, which is not copied."""
    column, header = np.asarray(column, order="C"), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(column))
    return np.frombuffer(header.getvalue(), np.uint8), column.reshape(-1).view(np.uint8)


def _holds(path: Path, header: Bytes, rest: Bytes) -> bool:
    """Tell whether a file has exactly these bytes."""
    if not path.is_file() or path.stat().st_size != len(header) + len(rest):
        return False
    whole = np.memmap(path, np.uint8, "r")
    return np.array_equal(whole[: len(header)], header) and np.array_equal(whole[len(header) :], rest)


def _sum(*parts: Bytes) -> int:
    found = 0
    for part in parts:
        found = zlib.crc32(part.data, found)
    return found


def _read(folder: Path, sums: dict[str, int], tree: Any) -> Any:
    if isinstance(tree, str):
        if _sum(np.memmap(folder / tree, np.uint8, "r")) != sums[tree]:
            raise ValueError(f"{tree} is damaged")
        return np.load(folder / tree, mmap_mode="r", allow_pickle=False)
    if isinstance(tree, list):
        return tuple(_read(folder, sums, one) for one in tree)
    if "is" in tree:
        return _KINDS[tree["is"]](**{name: _read(folder, sums, one) for name, one in tree["fields"].items()})
    if "dict" in tree:
        return {key: _read(folder, sums, one) for key, one in tree["dict"].items()}
    (kind, names), *_ = tree.items()
    parts = {name: _read(folder, sums, one) for name, one in names.items()}
    if kind == "texts":
        return _apart(*(parts[name] for name in _TEXTS))
    shape = tuple(parts["shape"].tolist())
    return sparse.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape, copy=False)


def _flat(values: Objects) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return texts, whole numbers and None as one text in UTF-8, a zero between each two, and the kind of each.

    Second, where a text has a zero in it: where each ends, the zero behind it included, (N,).
    """
    missing = pd.isna(values)
    kinds = np.where(missing, _MISSING, _TEXT).astype(np.int8)
    texts = np.where(missing, "", values).tolist()
    if pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):  # it asks a million in no time
        kinds[[isinstance(text, int) for text in texts]] = _NUMBER
        texts = list(map(str, texts))
    whole = "\0".join(texts)
    ambiguous = whole.count("\0") >= max(len(texts), 1)
    ends = np.cumsum([len(text) + 1 for text in texts] if ambiguous else [], dtype=np.int64)
    return np.frombuffer(whole.encode("utf-8", "surrogatepass"), np.uint8), ends, kinds


def _apart(whole: npt.NDArray[Any], ends: npt.NDArray[Any], kinds: npt.NDArray[Any]) -> Objects:
    text, places = whole.tobytes().decode("utf-8", "surrogatepass"), [0, *ends.tolist()]
    values = np.empty(len(kinds), dtype=object)
    values[:] = [text[a : b - 1] for a, b in itertools.pairwise(places)] or text.split("\0")[: len(kinds)]
    values[kinds == _MISSING] = None
    for row in np.flatnonzero(kinds == _NUMBER):
        values[row] = int(values[row])
    return values
