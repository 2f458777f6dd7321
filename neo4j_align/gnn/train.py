"""The training loop: hard negatives from the candidates, early stop on validation average precision.

There are two looks. The first, a comparison alone, finds the anchors; the second sees them. In it the comparison
learns alone first, which takes seconds; then the network learns what the comparison cannot know. Each keeps the epoch
that is best on validation, so the network is kept only where it helps.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import average_precision_score
from torch import nn
from torch.nn import functional

from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import HEADS, Comparison, Network, Shape
from neo4j_align.gnn.score import compare, device, encode, indices, logits, reproducible
from neo4j_align.records import BoolArray, FloatArray, Pairs, SmallArray
from neo4j_align.settings import Training

log = logging.getLogger(__name__)
Judge = Callable[[torch.Tensor], torch.Tensor]  # rows of the examples → logits
TOLD_AT_ONCE = 65_536  # pairs; bounds the copies that making what the heads are told takes
STEPS, SMALLEST = 16, 32  # of the head in an epoch at least, where labels are few; pairs in a batch then


@dataclass(frozen=True)
class Examples:
    """Labelled pairs.

    Attributes:
        pairs: (P,), features: (P, F), same: (P,), whether the two are the same thing.
        train, valid: (P,), to learn from, and to stop by; the rest is neither.
        owner: (P,), the left entity itself, whose copy may stand in the pair.
    """

    pairs: Pairs
    features: FloatArray
    same: BoolArray
    train: BoolArray
    valid: BoolArray
    owner: SmallArray


def glance(
    settings: Training,
    shape: Shape,
    entities: Entities,
    examples: Examples,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Comparison, npt.NDArray[np.float64]]:
    """Train the first look, which judges by comparison alone, and say what it makes of all pairs.

    Each head leaves out one part of the left entities, and it alone judges their pairs among those trained on: what
    the second look learns from is as good as what it will meet, and not learned by heart.

    Returns:
        The first look in evaluation mode, and the logits of all pairs, (P,).
    """
    torch.manual_seed(settings.seed)
    look, entities = Comparison(shape).to(device()), entities.to(device())
    own = torch.from_numpy(examples.owner).long() % HEADS
    learns = (own.unsqueeze(1) != torch.arange(HEADS)).to(device())
    loop = _Loop(settings, look, entities, examples, advance)
    # Its anchors are those that it is sure of: the last tenth of a percent is the second look's to find.
    _compare(loop, look, settings, entities, examples, settings.patience // 2, learns)
    look.cpu().eval()
    heads = compare(look, examples.features, _types(entities, examples).cpu())
    found = np.where(examples.train, heads[np.arange(len(heads)), own.numpy()], heads.mean(axis=1))
    return look, found


def train(
    settings: Training,
    shape: Shape,
    entities: Entities,
    examples: Examples,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Network, list[float]]:
    """Train the comparison, then the network beside it.

    Args:
        advance: is told of each epoch done.

    Returns:
        The network in evaluation mode, and the validation average precision of each epoch.
    """
    torch.manual_seed(settings.seed)
    network, entities = Network(shape).to(device()), entities.to(device())
    features, valid = _inputs(examples)
    pairs = indices(examples.pairs).to(device())

    def judge(rows: torch.Tensor) -> torch.Tensor:
        return network.forward(entities, encode(network, entities, pairs[rows]), pairs[rows], features[rows])

    @torch.no_grad()
    def validate() -> float:
        encoded = encode(network, entities, pairs[valid])
        found = logits(network, entities, encoded, pairs[valid], examples.features[examples.valid])
        return precision(entities, examples, found)

    loop = _Loop(settings, network, entities, examples, advance)
    history = _compare(loop, network.comparison, settings, entities, examples, settings.patience)
    rest = [p for name, p in network.named_parameters() if not name.startswith("comparison")]
    # An epoch of the network costs fifty of the comparison's, and one that overfits does so at once.
    history += loop.run(judge, rest, validate, settings.batch_size, settings.patience // 2)
    return network.cpu().eval(), history


def _compare(
    loop: _Loop,
    look: Comparison,
    settings: Training,
    entities: Entities,
    examples: Examples,
    patience: int,
    learns: torch.Tensor | None = None,
) -> list[float]:
    """Train the heads of a comparison; `learns` says which learn from a pair, (P, HEADS)."""
    look.standardise(torch.from_numpy(examples.features[examples.train]))
    features, valid = _inputs(examples)
    # What the heads are told is the same in every epoch, so it is made once.
    rows = torch.from_numpy(np.flatnonzero(examples.train | examples.valid)).to(device())
    types = _types(entities, examples)
    known = torch.cat([look.known(features[part], types[part]) for part in rows.split(TOLD_AT_ONCE)])
    place = torch.zeros(len(features), dtype=torch.long, device=device())
    place[rows] = torch.arange(len(rows), device=device())

    def judge(rows: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = look(known[place[rows]])
        return found

    @torch.no_grad()
    def validate() -> float:
        return precision(entities, examples, judge(valid).mean(1).cpu().numpy())

    size = min(settings.batch_size // 4, max(SMALLEST, int(examples.train.sum()) // STEPS))
    return loop.run(judge, list(look.parameters()), validate, size, patience, learns)


class _Loop:
    """Runs epochs over the training pairs for some of the parameters, and keeps the best."""

    def __init__(
        self,
        settings: Training,
        network: nn.Module,
        entities: Entities,
        examples: Examples,
        advance: Callable[[int], None],
    ) -> None:
        self._settings, self._network, self._advance = settings, network, advance
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._rows = torch.from_numpy(np.flatnonzero(examples.train))
        self._left = torch.from_numpy(examples.owner).long()[self._rows]
        self._same = torch.from_numpy(examples.same).float().to(device())
        self._weight = _weights(entities, examples)

    @reproducible()
    def run(
        self,
        judge: Judge,
        parameters: list[nn.Parameter],
        validate: Callable[[], float],
        size: int,
        patience: int,
        learns: torch.Tensor | None = None,
    ) -> list[float]:
        """Train `parameters` until validation has not risen for `patience` epochs; return each epoch's figure."""
        optimiser = torch.optim.AdamW(
            parameters, self._settings.learning_rate, weight_decay=self._settings.weight_decay, fused=True
        )
        history = [validate()]
        best = copy.deepcopy(self._network.state_dict())
        while len(history) <= self._settings.epochs and len(history) - 1 - int(np.argmax(history)) < patience:
            self._network.train()
            loss = sum(self._step(judge, optimiser, rows, learns) for rows in self._batches(size))
            self._network.eval()
            history.append(validate())
            log.info("epoch %d: loss %.4f, validation average precision %.4f", len(history) - 1, loss, history[-1])
            self._advance(1)
            if history[-1] > max(history[:-1]):
                best = copy.deepcopy(self._network.state_dict())
        self._network.load_state_dict(best)
        return history[1:]

    def _batches(self, size: int) -> Iterator[torch.Tensor]:
        """Shuffle the left entities and keep the pairs of each together, so that a batch shares neighbourhoods."""
        order = torch.randperm(int(self._left.max()) + 1, generator=self._generator)[self._left].argsort(stable=True)
        yield from self._rows[order].to(device()).split(size)

    def _step(
        self, judge: Judge, optimiser: torch.optim.Optimizer, rows: torch.Tensor, learns: torch.Tensor | None
    ) -> torch.Tensor:
        found = judge(rows)  # (B,), or (B, HEADS): heads that learn side by side
        same, weight = (column[rows].view(-1, *[1] * (found.dim() - 1)) for column in (self._same, self._weight))
        if learns is not None:
            weight = weight * learns[rows]
        loss = functional.binary_cross_entropy_with_logits(found, same.expand_as(found), weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()


def _inputs(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features, (P, F), and the rows of validation, (V,), where the network works."""
    valid = np.flatnonzero(examples.valid)
    return torch.from_numpy(examples.features).to(device()), torch.from_numpy(valid).to(device())


def _types(entities: Entities, examples: Examples) -> torch.Tensor:
    return entities.type[torch.from_numpy(examples.pairs.left).long().to(entities.device)]


def _weights(entities: Entities, examples: Examples) -> torch.Tensor:
    """Weigh a pair by one over the root of its type's number, so that rare types are heard; mean weight 1; (P,)."""
    types = _types(entities, examples)
    count = torch.bincount(
        types[torch.from_numpy(examples.train).to(device())], minlength=int(types.max()) + 1
    ).double()
    weight = torch.where(count > 0, count.clamp(min=1) ** -0.5, 0)
    return (weight * count.sum() / (weight * count).sum()).float()[types]


def precision(entities: Entities, examples: Examples, found: npt.NDArray[Any]) -> float:
    """Return the mean over the types of the average precision of validation logits, (V,)."""
    same, types = examples.same[examples.valid], entities.type.cpu().numpy()[examples.pairs.left[examples.valid]]
    per_type = [
        average_precision_score(same[types == kind], found[types == kind])
        for kind in np.unique(types)
        if same[types == kind].any()
    ]
    return float(np.mean(per_type))
