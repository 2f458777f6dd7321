"""Labels: which pairs are known to be the same thing or not, and in which split. Pure.

Two kinds of tables: a list of links (`left,right`), which says that what is not listed is not a link, and labelled
pairs (`left,right,label`), which say nothing of other pairs.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.errors import DataError
from neo4j_align.records import LEFT, RIGHT, BoolArray, IntArray, Nodes, Objects, Pairs
from neo4j_align.resolve.splits import HELD_OUT, SPLITS, fifth, seeded

log = logging.getLogger(__name__)
_SHARES = (0.7, 0.15, 0.15)  # of the splits, where the table has none
_COMPLETE = 0.5  # a list of links that covers this share of a type's smaller side is taken to be complete
_SAMPLE = "%s: %d of %d are listed, and links of others count as wrong; give a sample a column `label`, 1 in each row"
COLUMNS = ("left", "right", "same", "split", "kind")
_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Labels:
    """Labelled pairs by index into Nodes.

    Attributes:
        left, right: (L,), same: (L,), split: (L,), one of SPLITS.
        kind: (L,), what the table's `type` column says, else the type's name in the configuration.
        listed: whether persons' labels are all links that there are among the listed entities (no `label` column).
        guessed: types, by index, of which the model made labels too: they are listed as well, but what they leave out
            is not known.
        orphans: (M, 2), pairs that were parted: while a model learns, the right one is no candidate, and the left one
            has no counterpart. Without them a model that teaches itself never meets such an entity.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    same: npt.NDArray[np.bool_]
    split: Objects
    kind: Objects
    listed: bool
    guessed: frozenset[int] = frozenset()
    orphans: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @property
    def links(self) -> npt.NDArray[np.int64]:
        """The pairs that are the same thing, (n, 2)."""
        return np.stack([self.left, self.right], axis=1)[self.same]

    def of(self, rows: BoolArray | IntArray) -> Labels:
        """Return the labels at these rows, a mask or places."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def followed_by(self, other: Labels) -> Labels:
        """Return these labels with others behind them."""
        columns: dict[str, Any] = {name: np.append(getattr(self, name), getattr(other, name)) for name in COLUMNS}
        return replace(self, **columns, listed=self.listed or other.listed)

    def lists(self, types: npt.NDArray[np.int16]) -> BoolArray:
        """Tell whether labels of these types, (N,), are lists of links; those of others are of single pairs."""
        return np.isin(types, list(self.guessed)) | self.listed


def read(table: pd.DataFrame, nodes: Nodes, type_names: tuple[str, ...], seed: int) -> Labels:
    """Find the labelled entities, and make seeded splits where the table has none.

    Args:
        table: columns `left` and `right` (keys), optionally `label`, `split`, `type`.

    Raises:
        DataError: Columns are missing, values are not understood, or no pair is known to the graph.
    """
    if missing := " and ".join(sorted({"left", "right"} - set(table.columns))):
        given = ", ".join(map(str, table))
        raise DataError(f"The labels lack the column {missing}: it takes left,right with a comma between, not {given}.")
    empty = table[["left", "right"]].isna().any(axis=1) | (table[["left", "right"]].astype(str) == "").any(axis=1)
    if empty.any():
        row = int(np.flatnonzero(empty)[0]) + 1
        raise DataError(f"Row {row} of the labels lacks left or right. Fill or remove it.")
    left, right = (_find(table[side], nodes, code) for side, code in (("left", LEFT), ("right", RIGHT)))
    known = (left >= 0) & (right >= 0)
    if not known.any():
        raise DataError(
            "No labelled pair has both its keys in the graph. See that the labels are for these graphs, that left "
            "and right are not swapped, and that `key` in the configuration is the property that they name."
        )
    if not known.all():
        lost = table[~known].iloc[0]
        log.warning(
            "%d of %d labelled pairs name a key that the graph lacks, for example %s, %s",
            (~known).sum(), len(known), lost["left"], lost["right"],
        )  # fmt: skip
    table, left, right = table[known], left[known], right[known]
    if (nodes.type[left] != nodes.type[right]).any():
        ends = np.stack([left, right])[:, nodes.type[left] != nodes.type[right]][:, 0]
        (one, other), kinds = nodes.keys[ends], " and ".join(type_names[kind] for kind in nodes.type[ends])
        raise DataError(f"The pair {one}, {other} joins entities of different types, {kinds}: correct or remove it.")
    same = _same(table)
    names = np.array(type_names, dtype=object)[nodes.type[left]]
    kind = table["type"].astype(str).to_numpy(object) if "type" in table else names
    split = _split(table, nodes.keys[left], seed)
    _warn_of_contradictions(table.assign(same=same))
    return Labels(left, right, same, split, kind, listed="label" not in table)


def _find(keys: pd.Series[Any], nodes: Nodes, side: int) -> npt.NDArray[np.int64]:
    index = nodes.index(side)
    index.index = index.index.map(str)
    # A frame with whole numbers among missing ones holds them as 1.0.
    texts = keys.map(lambda key: str(int(key)) if isinstance(key, float) and key.is_integer() else str(key))
    return index.reindex(texts).fillna(-1).to_numpy(np.int64)


def _same(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    if "label" not in table:
        return np.ones(len(table), bool)
    text = table["label"].map(lambda value: str(value).strip().lower().removesuffix(".0"))
    if unknown := sorted(set(text) - set(_YES)):
        raise DataError(f"The column label must hold 1 or 0, not {unknown[0]!r}.")
    return text.map(_YES).to_numpy(bool)


def _warn_of_contradictions(table: pd.DataFrame) -> None:
    disputed = table[table.groupby(["left", "right"])["same"].transform("nunique") > 1]
    if len(disputed):
        log.warning(
            "%d of %d labels say both that a pair is the same and that it is not, for example %s, %s; the last counts",
            len(disputed), len(table), *disputed.iloc[0][["left", "right"]],
        )  # fmt: skip


def _split(table: pd.DataFrame, left_keys: Objects, seed: int) -> Objects:
    if "split" not in table:
        return seeded(left_keys, np.cumsum(_SHARES), seed)
    split = table["split"].astype(str).str.strip().str.lower().to_numpy(object)
    if unknown := sorted(set(split) - set(SPLITS)):
        raise DataError(f"The column split must hold {', '.join(SPLITS)}, not {unknown[0]!r}.")
    return split


def learnt(labels: Labels, nodes: Nodes, pairs: Pairs, seed: int, exclusive: list[bool]) -> tuple[Any, Any]:
    """Say what can be learned of each pair, as `judge` does, and from labels of single pairs what follows from them.

    Where links are one-to-one, other candidates of two entities that are the same are wrong. Without these a model
    that was told of hardly any wrong pair would take every pair for right.

    Args:
        exclusive: per type, whether links are one-to-one.
    """
    same, split = judge(labels, nodes, pairs, seed)
    types = nodes.type[pairs.left]
    if (single := ~labels.lists(types)).any():
        of_left, of_right = _linked(labels, len(nodes))
        left, right = of_left[pairs.left], of_right[pairs.right]
        follows = (same < 0) & single & np.array(exclusive)[types] & ((left != "") | (right != ""))
        same = np.where(follows, 0, same).astype(np.int8)
        split = np.where(follows, np.where(left != "", left, right), split)
    return same, split


def _linked(labels: Labels, count: int) -> tuple[Objects, Objects]:
    """Return the split of each entity that has a link, as a left and as a right one, (N,) each, "" of all others.

    An entity with links in several splits belongs to the last of them: what is tested is never trained on.
    """
    of_left, of_right = (np.full(count, "", dtype=object) for _ in range(2))
    for name in SPLITS:
        mine = (labels.split == name) & labels.same
        of_left[labels.left[mine]], of_right[labels.right[mine]] = name, name
    return of_left, of_right


def judge(labels: Labels, nodes: Nodes, pairs: Pairs, seed: int, complete: bool | None = None) -> tuple[Any, Any]:
    """Say of each pair whether it is the same thing, and to which split it belongs.

    A pair belongs to the split of its left entity, else of its right one; where neither is in a complete list, to one
    by the hash of its left key, in the proportions of the list.

    Args:
        complete: whether entities that the list leaves out have no counterpart; None takes it so for a type of which
            the list covers half of the smaller side.

    Returns:
        (P,) of 1, 0, or -1 where it is not known; and (P,) of SPLITS, "" where it is not known.
    """
    if not labels.lists(nodes.type).any():
        return _labelled(labels, pairs)
    of_left, of_right = _linked(labels, len(nodes))
    otherwise = np.full(len(nodes), "", dtype=object)
    of_left[labels.orphans[:, 0]] = seeded(nodes.keys[labels.orphans[:, 0]], HELD_OUT, seed)
    for kind in np.unique(nodes.type[labels.left]):
        mine = (nodes.type[labels.left] == kind) & labels.same
        smaller = min(np.count_nonzero((nodes.type == kind) & (nodes.side == side)) for side in (LEFT, RIGHT))
        covered = mine.sum() >= _COMPLETE * smaller and kind not in labels.guessed
        if complete and not covered:
            log.warning(_SAMPLE, labels.kind[nodes.type[labels.left] == kind][0], mine.sum(), smaller)
        if complete if complete is not None else covered:
            shares = [np.mean(labels.split[mine] == split) for split in SPLITS]
            places = np.flatnonzero((nodes.side == LEFT) & (nodes.type == kind))
            otherwise[places] = seeded(nodes.keys[places], np.cumsum(shares), seed)
    left, right = of_left[pairs.left], of_right[pairs.right]
    split = np.where(left != "", left, np.where(right != "", right, otherwise[pairs.left]))
    same, labelled = _labelled(labels, pairs)
    split = np.where((same >= 0) | ~labels.lists(nodes.type[pairs.left]), labelled, split)
    return np.where(split == "", -1, np.maximum(same, 0)).astype(np.int8), split


def _labelled(labels: Labels, pairs: Pairs) -> tuple[Any, Any]:
    same = labels.same.astype(np.int8)
    columns = {"left": labels.left, "right": labels.right, "same": same, "split": labels.split}
    last = pd.DataFrame(columns).drop_duplicates(["left", "right"], keep="last").set_index(["left", "right"])
    found = last.reindex(pd.MultiIndex.from_arrays([pairs.left, pairs.right]))
    return found["same"].fillna(-1).to_numpy(np.int8), found["split"].fillna("").to_numpy(object)


def with_validation(labels: Labels, nodes: Nodes, seed: int) -> Labels:
    """Return labels of which a fifth of `train`, by its true pairs, becomes `valid` where that has none."""
    if (labels.same & (labels.split == "valid")).any():
        return labels
    train = labels.split == "train"
    left = labels.left[train & labels.same]
    moved = train & np.isin(labels.left, left[fifth(nodes.keys[left], seed) == "valid"])
    return replace(labels, split=np.where(moved, "valid", labels.split).astype(object))


def known(labels: Labels) -> int:
    """Count the true pairs, those of the test split aside."""
    return int((labels.same & (labels.split != "test")).sum())


def require_links(labels: Labels) -> None:
    """See that one can learn from labels by themselves.

    Raises:
        DataError: There is no true pair to learn from, or none to validate with.
    """
    for name in ("train", "valid"):
        if not labels.same[labels.split == name].any():
            raise DataError(
                f"The labels have no true pair in the split {name!r}. Training takes at least ten true pairs in all: "
                "add some, or correct the columns `label` and `split`."
            )


def require(same: npt.NDArray[Any], split: Objects) -> None:
    """See that the candidates hold what training takes.

    Raises:
        DataError: Blocking found no true pair, or no false one, in the split train or valid.
    """
    for name in ("train", "valid"):
        kinds = set(same[split == name].tolist())
        if not {0, 1} <= kinds:
            what = "true" if 1 not in kinds else "false"
            raise DataError(
                f"Among the candidates no pair of the split {name!r} is known to be {what}. Training takes at least "
                "ten true pairs whose names, attributes or neighbours resemble each other: add labels, or map more "
                "attributes and relations."
            )


def gold(count: int, labels: Labels, nodes: Nodes, split: str) -> list[int]:
    """Count the true links of a split for each of `count` types, those included that blocking misses."""
    links = np.unique(labels.links[labels.split[labels.same] == split], axis=0)
    numbers: list[int] = np.bincount(nodes.type[links[:, 0]], minlength=count).tolist()
    return numbers


def exclusive(count: int, labels: Labels, nodes: Nodes) -> list[bool]:
    """Tell for each of `count` types whether the labels, those of the test split aside, show one-to-one links.

    One-to-one are those of which at most 2 % of the linked entities have more than one link. Single pairs show that
    only of entities of which several pairs are labelled, often few: a tenth of these, and one may be a mistake.
    """
    seen = labels.of(labels.split != "test")
    table = pd.DataFrame({"left": seen.left, "right": seen.right, "same": seen.same})
    table = table.drop_duplicates(["left", "right"], keep="last")
    kinds, listed = nodes.type[table["left"]], labels.lists(np.arange(count, dtype=np.int16))
    result = []
    for kind in range(count):
        sides = [table[kinds == kind].groupby(side)["same"].agg(["sum", "count"]) for side in ("left", "right")]
        linked = [side[(side["sum"] > 0) & ((side["count"] > 1) | listed[kind])]["sum"] > 1 for side in sides]
        share = max(side.mean() if len(side) else 0.0 for side in linked)
        result.append(bool(share <= 0.02 if listed[kind] else share <= 0.1 or sum(map(sum, linked)) < 2))
    return result


def digest(table: pd.DataFrame) -> str:
    """Return a fingerprint of labels, whatever the order of their rows."""
    columns = [column for column in ("left", "right", "label", "split") if column in table]
    rows = pd.util.hash_pandas_object(table[columns].astype(str), index=False).to_numpy()
    return hashlib.sha256(np.sort(rows).tobytes()).hexdigest()[:16]
