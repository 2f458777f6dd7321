"""The training loop: hard negatives from the candidates, early stop on validation average precision.

There are two looks. The first, a comparison alone, finds the anchors; the second sees them. In it the comparison
learns alone first, which takes seconds; then the network learns what the comparison cannot know. Each keeps the epoch
that is best on validation, so the network is kept only where it helps.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import average_precision_score
from torch import nn
from torch.nn import functional

from neo4j_align.gnn import together
from neo4j_align.gnn.calibrate import FEWEST
from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import HEADS, Comparison, Network, Shape
from neo4j_align.gnn.score import compare, device, encode, indices, logits, reproducible
from neo4j_align.gnn.tensors import Weights, tensor, weights
from neo4j_align.gnn.together import Judge
from neo4j_align.records import BoolArray, FloatArray, Pairs, SmallArray
from neo4j_align.settings import Training

log = logging.getLogger(__name__)
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


@dataclass(frozen=True)
class Lesson:
    """What is learned, and from what."""

    settings: Training
    shape: Shape
    entities: Entities
    examples: Examples

    def here(self) -> Lesson:
        """Return it with the entities where the network works."""
        return replace(self, entities=self.entities.to(device()))

    @property
    def types(self) -> torch.Tensor:
        """The type of each pair's entities, (P,)."""
        return self.entities.type[torch.from_numpy(self.examples.pairs.left).long().to(self.entities.device)]

    @property
    def inputs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, (P, F), and the rows of validation, (V,), where the network works."""
        valid = torch.from_numpy(np.flatnonzero(self.examples.valid))
        return tensor(self.examples.features).to(device()), valid.to(device())


def glance(lesson: Lesson, advance: Callable[[int], None] = lambda _: None) -> tuple[Weights, npt.NDArray[np.float64]]:
    """Train the first look, which judges by comparison alone, and say what it makes of all pairs.

    Each head leaves out one part of the left entities, and it alone judges their pairs among those trained on: what
    the second look learns from is as good as what it will meet, and not learned by heart.

    Returns:
        The weights of the first look, a `Comparison`, and the logits of all pairs, (P,).
    """
    lesson, settings, examples = lesson.here(), lesson.settings, lesson.examples
    torch.manual_seed(settings.seed)
    look = Comparison(lesson.shape).to(device())
    own = torch.from_numpy(examples.owner).long() % HEADS
    learns = (own.unsqueeze(1) != torch.arange(HEADS)).to(device())
    loop = _Loop(lesson, look, advance)
    # Its anchors are those that it is sure of: the last tenth of a percent is the second look's to find.
    _compare(loop, look, lesson, settings.patience // 2, learns)
    look.cpu().eval()
    heads = compare(look, examples.features, lesson.types.cpu())
    found = np.where(examples.train, heads[np.arange(len(heads)), own.numpy()], heads.mean(axis=1))
    return weights(look), found


def train(lesson: Lesson, advance: Callable[[int], None] = lambda _: None) -> tuple[Weights, list[float]]:
    """Train the comparison, then the network beside it.

    Args:
        advance: is told of each epoch done.

    Returns:
        The weights of the network, and the validation average precision of each epoch.
    """
    lesson, settings = lesson.here(), lesson.settings
    torch.manual_seed(settings.seed)
    network, entities = Network(lesson.shape).to(device()), lesson.entities
    features, valid = lesson.inputs
    pairs = indices(lesson.examples.pairs).to(device())

    def judge(rows: torch.Tensor) -> torch.Tensor:
        return network.forward(entities, encode(network, entities, pairs[rows]), pairs[rows], features[rows])

    @torch.no_grad()
    def validate() -> float:
        mine, _ = together.share(valid)
        encoded = encode(network, entities, pairs[mine])
        found = logits(network, entities, encoded, pairs[mine], lesson.examples.features[mine.cpu().numpy()])
        return precision(lesson, together.gathered(torch.from_numpy(found).to(device()), len(valid)))

    loop = _Loop(lesson, network, advance)
    with _fixed([p for name, p in network.named_parameters() if not name.startswith("comparison")]):
        history = _compare(loop, network.comparison, lesson, settings.patience)
    # An epoch of the network costs fifty of the comparison's, and one that overfits does so at once.
    with _fixed(list(network.comparison.parameters())):
        history += loop.run(judge, validate, settings.batch_size, settings.patience // 2)
    return weights(network), history


@contextlib.contextmanager
def _fixed(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Leave some parameters as they are while others learn; no gradient is worked out for them."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    yield
    for parameter in parameters:
        parameter.requires_grad_(True)


def _compare(
    loop: _Loop, look: Comparison, lesson: Lesson, patience: int, learns: torch.Tensor | None = None
) -> list[float]:
    """Train the heads of a comparison; `learns` says which learn from a pair, (P, HEADS)."""
    examples = lesson.examples
    look.standardise(torch.from_numpy(examples.features[examples.train]))
    features, valid = lesson.inputs
    # What the heads are told is the same in every epoch, so it is made once.
    rows = torch.from_numpy(np.flatnonzero(examples.train | examples.valid)).to(device())
    types = lesson.types
    known = torch.cat([look.known(features[part], types[part]) for part in rows.split(TOLD_AT_ONCE)])
    place = torch.zeros(len(features), dtype=torch.long, device=device())
    place[rows] = torch.arange(len(rows), device=device())

    def judge(rows: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = look(known[place[rows]])
        return found

    @torch.no_grad()
    def validate() -> float:
        mine, _ = together.share(valid)
        return precision(lesson, together.gathered(judge(mine).mean(1), len(valid)))

    size = min(max(1, lesson.settings.batch_size // 4), max(SMALLEST, int(examples.train.sum()) // STEPS))
    few = int(examples.same[examples.valid].sum()) < FEWEST
    return loop.run(judge, validate, size, patience, learns, latest=few)


class _Loop:
    """Runs epochs over the training pairs for those parameters that are not fixed, and keeps the best."""

    def __init__(self, lesson: Lesson, network: nn.Module, advance: Callable[[int], None]) -> None:
        self._settings, self._network, self._advance = lesson.settings, network, advance
        self._generator = torch.Generator().manual_seed(lesson.settings.seed)
        self._rows = torch.from_numpy(np.flatnonzero(lesson.examples.train))
        self._left = torch.from_numpy(lesson.examples.owner).long()[self._rows]
        self._same = torch.from_numpy(lesson.examples.same).float().to(device())
        self._weight = _weights(lesson)

    @reproducible()
    def run(
        self,
        judge: Judge,
        validate: Callable[[], float],
        size: int,
        patience: int,
        learns: torch.Tensor | None = None,
        latest: bool = False,
    ) -> list[float]:
        """Train until validation has not risen for `patience` epochs; return each epoch's figure.

        Args:
            latest: whether of equal epochs the latest is the best: few pairs may come in the right order long
                before the comparison is sure of it.
        """
        learning = [parameter for parameter in self._network.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(
            learning, self._settings.learning_rate, weight_decay=self._settings.weight_decay, fused=True
        )
        history, at = [validate()], 0
        best = copy.deepcopy(self._network.state_dict())
        judge = together.judging(self._network, judge)
        together.differ(self._settings.seed)
        while len(history) <= self._settings.epochs and len(history) - 1 - at < patience:
            self._network.train()
            loss = sum(self._step(judge, optimiser, rows, learns) for rows in self._batches(size))
            self._network.eval()
            history.append(validate())
            log.info("epoch %d: loss %.4f, validation average precision %.4f", len(history) - 1, loss, history[-1])
            self._advance(1)
            if history[-1] > history[at] or (latest and history[-1] == history[at]):
                best, at = copy.deepcopy(self._network.state_dict()), len(history) - 1
        self._network.load_state_dict(best)
        return history[1:]

    def _batches(self, size: int) -> Iterator[torch.Tensor]:
        """Shuffle the left entities and keep the pairs of each together, so that a batch shares neighbourhoods."""
        order = torch.randperm(int(self._left.max()) + 1, generator=self._generator)[self._left].argsort(stable=True)
        yield from self._rows[order].to(device()).split(size)

    def _step(
        self, judge: Judge, optimiser: torch.optim.Optimizer, rows: torch.Tensor, learns: torch.Tensor | None
    ) -> torch.Tensor:
        rows, portion = together.share(rows)
        found = judge(rows)  # (B,), or (B, HEADS): heads that learn side by side
        same, weight = (column[rows].view(-1, *[1] * (found.dim() - 1)) for column in (self._same, self._weight))
        if learns is not None:
            weight = weight * learns[rows]
        loss = functional.binary_cross_entropy_with_logits(found, same.expand_as(found), weight * portion)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()


def _weights(lesson: Lesson) -> torch.Tensor:
    """Weigh a pair by one over the root of its type's number, so that rare types are heard; mean weight 1; (P,)."""
    types = lesson.types
    train = torch.from_numpy(lesson.examples.train).to(device())
    count = torch.bincount(types[train], minlength=int(types.max()) + 1).double()
    weight = torch.where(count > 0, count.clamp(min=1) ** -0.5, 0)
    return (weight * count.sum() / (weight * count).sum()).float()[types]


def precision(lesson: Lesson, found: torch.Tensor) -> float:
    """Return the mean over the types of the average precision of validation logits, (V,)."""
    valid, logits = lesson.examples.valid, found.cpu().numpy()
    same, types = lesson.examples.same[valid], lesson.entities.type.cpu().numpy()[lesson.examples.pairs.left[valid]]
    per_type = [
        average_precision_score(same[types == kind], logits[types == kind])
        for kind in np.unique(types)
        if same[types == kind].any()
    ]
    return float(np.mean(per_type))
