"""The training loop: hard negatives from the candidates, early stop on validation average precision."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from neo4j_align.config import Training
from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Network, Shape
from neo4j_align.gnn.score import logits, needed
from neo4j_align.records import BoolArray, FloatArray, Pairs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """Labelled pairs.

    Attributes:
        pairs: (P,), features: (P, F), same: (P,), whether the two are the same thing.
        train, valid: (P,), to learn from, and to stop by; the rest is neither.
    """

    pairs: Pairs
    features: FloatArray
    same: BoolArray
    train: BoolArray
    valid: BoolArray


def train(
    settings: Training,
    shape: Shape,
    entities: Entities,
    examples: Examples,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Network, list[float]]:
    """Train until validation average precision has not risen for `patience` epochs; keep the best epoch.

    Args:
        advance: is told of each epoch done.

    Returns:
        The network in evaluation mode, and the validation average precision of each epoch.
    """
    torch.manual_seed(settings.seed)
    network = Network(shape)
    network.standardise(torch.from_numpy(examples.features[examples.train]))
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    generator = torch.Generator().manual_seed(settings.seed)
    rows = torch.from_numpy(np.flatnonzero(examples.train))
    weights = _type_weights(entities, examples)
    history: list[float] = []
    best = copy.deepcopy(network.state_dict())
    for epoch in range(settings.epochs):
        network.train()
        loss = sum(
            _step(network, optimiser, entities, examples, batch, weights)
            for batch in _batches(examples.pairs, rows, settings.batch_size, generator)
        )
        history.append(_validate(network, entities, examples))
        log.info("epoch %d: loss %.4f, validation average precision %.4f", epoch, loss, history[-1])
        advance(1)
        if history[-1] == max(history) and history.index(history[-1]) == epoch:
            best = copy.deepcopy(network.state_dict())
        if epoch - int(np.argmax(history)) >= settings.patience:
            break
    network.load_state_dict(best)
    return network.eval(), history


def _batches(pairs: Pairs, rows: torch.Tensor, size: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Shuffle the left entities and keep the pairs of each together, so that a batch shares neighbourhoods."""
    left = torch.from_numpy(pairs.left).long()[rows]
    order = torch.randperm(int(left.max()) + 1, generator=generator)[left].argsort(stable=True)
    batches: tuple[torch.Tensor, ...] = rows[order].split(size)
    return batches


def _step(
    network: Network,
    optimiser: torch.optim.Optimizer,
    entities: Entities,
    examples: Examples,
    batch: torch.Tensor,
    weights: torch.Tensor,
) -> float:
    pairs = torch.stack(
        [torch.from_numpy(examples.pairs.left)[batch], torch.from_numpy(examples.pairs.right)[batch]], dim=1
    ).long()
    ids, place = needed(entities, pairs)
    encoded = network.encode(entities, ids)
    found = network(entities, encoded, place, pairs, torch.from_numpy(examples.features)[batch])
    target = torch.from_numpy(examples.same)[batch].to(found.dtype)
    weight = weights[entities.type[pairs[:, 0]]]
    loss = functional.binary_cross_entropy_with_logits(found, target, weight)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _type_weights(entities: Entities, examples: Examples) -> torch.Tensor:
    """Weigh a type's pairs by one over the root of their number, so that rare types are heard; mean weight 1."""
    kinds = entities.type[torch.from_numpy(examples.pairs.left[examples.train]).long()]
    count = torch.bincount(kinds, minlength=int(entities.type.max()) + 1).double()
    weight = torch.where(count > 0, count.clamp(min=1) ** -0.5, 0)
    return (weight * count.sum() / (weight * count).sum()).float()


def _validate(network: Network, entities: Entities, examples: Examples) -> float:
    """Return the mean over the types of the validation pairs' average precision."""
    pairs, same = examples.pairs.take(examples.valid), examples.same[examples.valid]
    found = logits(network.eval(), entities, pairs, examples.features[examples.valid])
    kinds = entities.type.numpy()[pairs.left]
    return float(
        np.mean([
            average_precision_score(same[kinds == kind], found[kinds == kind])
            for kind in np.unique(kinds)
            if same[kinds == kind].any()
        ])
    )  # fmt: skip
