"""The network: CG-MuAlign (Zhu et al., WWW 2020) with a residual head on comparison features.

One set of weights serves both graphs and all entity types. Shapes: N entities, D destinations, S sources, B pairs,
K neighbours, d width, R relation maps, F features of a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn
from torch.nn import functional

from neo4j_align.gnn.batch import Hop, hop, weighed
from neo4j_align.gnn.features import SKETCH, Entities
from neo4j_align.gnn.overlap import meeting

BINS = 8  # of a feature's piecewise linear encoding
HEADS = 4  # that compare, each for itself; their mean hangs less on a seed where labels are few


def _head(inputs: int, width: int, dropout: float) -> nn.Sequential:
    hidden = [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden, nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 1))


class Shape(BaseModel):
    """What fixes the sizes of the network's weights."""

    model_config = ConfigDict(frozen=True)

    width: int
    types: int
    maps: int
    features: int
    dropout: float


@dataclass(frozen=True)
class Encoded:
    """Entities as the pair's layer needs them.

    Attributes:
        own: (E, d), what `Network.encode` returns of them.
        attention: (A, K), what `Network.attend` returns for the first A of these E entities, those of the pairs.
        messages: (M, d), what `Network.messages` returns for each neighbour of these by each relation that it has to
            any; heard: (A, K), which of them each neighbour gives, any where there is none.
        place: (N,), where each of these E entities stands in the others.
    """

    own: torch.Tensor
    attention: torch.Tensor
    messages: torch.Tensor
    heard: torch.Tensor
    place: torch.Tensor


class Comparison(nn.Module):
    """Judges pairs by their comparison features alone: several heads side by side."""

    mean: torch.Tensor
    scale: torch.Tensor
    edges: torch.Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.width = (1 + BINS) * shape.features + shape.types
        self.heads = nn.ModuleList(_head(self.width, shape.width, shape.dropout) for _ in range(HEADS))
        self.direct = nn.Linear(self.width, HEADS)
        self.register_buffer("mean", torch.zeros(shape.features))
        self.register_buffer("scale", torch.zeros(shape.features))
        self.register_buffer("edges", torch.zeros(shape.features, BINS + 1))

    def standardise(self, features: torch.Tensor) -> None:
        """Take mean, scale and quantiles from the training pairs' features, (P, F); a constant column becomes zero."""
        deviation = features.std(dim=0, correction=0)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), 0))
        self.edges.copy_(torch.from_numpy(np.quantile(features.numpy(), np.linspace(0, 1, BINS + 1), axis=0).T))

    def _alive(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what moved in training: features (A,), and the bins that are not empty by feature and number, (C,)."""
        feature, number = (self.edges[:, 1:] - self.edges[:, :-1] > 1e-6).nonzero(as_tuple=True)
        return (self.scale > 0).nonzero().squeeze(1), feature, number

    def known(self, features: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Encode features (B, F) and types (B,) for the heads, without what is always zero; (B, A + C + T)."""
        moving, feature, number = self._alive()
        low, high = self.edges[feature, number], self.edges[feature, number + 1]
        # Piecewise linear encoding (Gorishniy et al. 2022): lets a small MLP cut where trees would.
        bins = features[:, feature].sub_(low).div_(high - low).clamp_(0, 1)
        kind = functional.one_hot(types, self.shape.types).to(features.dtype)
        plain = ((features[:, moving] - self.mean[moving]) * self.scale[moving]).clamp(-6, 6)
        return torch.cat([plain, bins, kind], dim=1)

    def through(self, layers: Sequence[nn.Module], known: torch.Tensor) -> list[torch.Tensor]:
        """Apply layers that have weights for all `width` inputs to those that are there, in one product."""
        (moving, feature, number), count = self._alive(), self.shape.features
        kinds = torch.arange(self.shape.types, device=known.device)
        kept = torch.cat([moving, count + feature * BINS + number, count * (1 + BINS) + kinds])
        weights: list[torch.Tensor] = [layer.get_parameter("weight") for layer in layers]
        biases: list[torch.Tensor] = [layer.get_parameter("bias") for layer in layers]
        joined = functional.linear(known, torch.cat(weights)[:, kept], torch.cat(biases))
        return list(joined.split([len(bias) for bias in biases], dim=1))

    def forward(self, known: torch.Tensor) -> torch.Tensor:
        """Judge encoded pairs, as `known` gives them; logits of each head, (B, HEADS)."""
        heads = [head for head in self.heads if isinstance(head, nn.Sequential)]
        *first, direct = self.through([*(head[0] for head in heads), self.direct], known)
        judged = [head[1:](part) for head, part in zip(heads, first, strict=True)]
        return direct + torch.cat(judged, dim=1)


class Network(nn.Module):
    """Encodes entities once (level 0 and layer 1), then judges pairs (cross-graph layer and head)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        d, maps = shape.width, shape.maps
        self.text = nn.Linear(2 * SKETCH, d)
        self.kind = nn.Embedding(shape.types, d)
        self.own = nn.Linear(d, d)
        # All maps start equal: cross-graph attention compares spaces that must start comparable.
        start = nn.init.orthogonal_(torch.empty(d, d)).repeat(maps, 1, 1)
        self.relation1, self.relation2 = nn.Parameter(start.clone()), nn.Parameter(start.clone())
        self.attend1 = nn.Parameter(torch.zeros(maps, 2, d))
        self.attend2 = nn.Parameter(torch.zeros(maps, 2, d))
        self.own2 = nn.Linear(2 * d, d)
        self.widen = nn.Linear(2 * d, d, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(3.0))
        self.head = nn.Sequential(nn.Linear(4 * d, d), nn.ReLU(), nn.Dropout(shape.dropout), nn.Linear(d, 1))
        self.comparison = Comparison(shape)
        self.gate = nn.Linear(self.comparison.width, 1)
        for parameter in self.head[-1].parameters():  # the network begins by adding nothing to the comparison
            nn.init.zeros_(parameter)

    def read(self, entities: Entities, ids: torch.Tensor) -> torch.Tensor:
        """Return level 0 of entities (D,), what their attributes say of them; (D, d)."""
        words = torch.cat([entities.name[ids], entities.record[ids]], dim=1).to(self.text.weight.dtype)
        return functional.relu(self.text(words * SKETCH**0.5) + self.kind(entities.type[ids]))

    def encode(
        self, entities: Entities, ids: torch.Tensor, level0: torch.Tensor, place: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode entities (D,) from their attributes and their sampled neighbours' (equations 1 and 2).

        Args:
            level0: what `read` returned of all these and others, (S, d); place: (N,), where each stands there.

        Returns:
            Their own part of a pair's vectors, and what others see of them as neighbours; (D, d) both.
        """
        edges = hop(entities, ids, self.shape.maps)
        near = level0[place[edges.sources]]
        hidden = functional.relu(torch.cat([self.own(near[edges.own]), self._aggregate(near, edges)], dim=1))
        return self.own2(hidden), self.widen(hidden)

    def messages(self, inside: torch.Tensor, heard: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map neighbours by relations: W_r h_j, (M, d), and a_r · W_r h_j, (M,).

        Args:
            inside: what `encode` returned of E entities, (E, d); heard: relation · E + neighbour, sorted, (M,).
        """
        kinds, sizes = torch.unique_consecutive(heard // len(inside), return_counts=True)
        rows, each = (heard % len(inside)).split(sizes.tolist()), kinds.tolist()
        maps, attend = self.relation2.unbind(), self.attend2[:, 1].unbind()
        parts = [inside[some] @ maps[kind] for some, kind in zip(rows, each, strict=True)]
        return torch.cat(parts), torch.cat([part @ attend[kind] for part, kind in zip(parts, each, strict=True)])

    def attend(self, entities: Entities, inside: torch.Tensor, theirs: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Return the relation-aware self-attention β of entities (D,) over their neighbours; (D, K), 0 where none is.

        Args:
            inside: what `encode` returned of them, (D, d); theirs: a_r · W_r h_j of their neighbours, (D, K).
        """
        mine = torch.einsum("ud,rd->ur", inside, self.attend2[:, 0]).gather(1, entities.relations[ids])
        valid = entities.neighbours[ids] >= 0
        return functional.leaky_relu(mine + theirs, 0.2).masked_fill(~valid, -1e9).softmax(1) * valid

    def _aggregate(self, level0: torch.Tensor, edges: Hop) -> torch.Tensor:
        """Sum the neighbours' messages W_r h_j with relation-aware attention; (D, d)."""
        projected = torch.einsum("nd,rd->nr", level0, self._through(self.attend1[:, 1], self.relation1))
        mine = torch.einsum("nd,rd->nr", level0[edges.own], self.attend1[:, 0])
        logits = mine[edges.destination, edges.relation] + projected[edges.source, edges.relation]
        weights = edges.to_destination.softmax(functional.leaky_relu(logits, 0.2))
        return edges.groups.sum(level0, weights, self.relation1)

    @staticmethod
    def _through(vectors: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        """Return W_r a_r for each relation, so that a_r · W_r h is one product; (R, d)."""
        return torch.einsum("rij,rj->ri", maps, vectors)

    def forward(
        self, entities: Entities, encoded: Encoded, pairs: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Judge pairs.

        Args:
            encoded: all entities of the pairs and their neighbours.
            pairs: (B, 2), left and right entity.
            features: (B, F), comparison features.

        Returns:
            Logits, (B,).
        """
        ends = pairs.T.flatten()  # all left entities, then all right ones
        combined = self._combine(encoded, ends, self._weights(entities, encoded, pairs))
        own = encoded.own[encoded.place[ends]]
        left, right = functional.relu(torch.cat([own, combined], dim=1)).chunk(2)
        network = self.head(torch.cat([(left - right).abs(), left * right], dim=1))
        known = self.comparison.known(features, entities.type[pairs[:, 0]])
        [gate] = self.comparison.through([self.gate], known)
        judged: torch.Tensor = self.comparison(known).mean(1) + (gate.sigmoid() * network).squeeze(1)
        return judged

    def attention(self, entities: Entities, encoded: Encoded, pairs: torch.Tensor) -> list[torch.Tensor]:
        """Return how much each neighbour of the left and of the right entity tells of pairs, (B, 2); two of (B, K)."""
        return list(self._weights(entities, encoded, pairs).chunk(2))

    def _weights(self, entities: Entities, encoded: Encoded, pairs: torch.Tensor) -> torch.Tensor:
        """Weigh both sides' neighbours by α · β, renormalised (equations 3 to 6), left entities first; (2B, K)."""
        weight = self._cross(entities, encoded, pairs) * encoded.attention[encoded.place[pairs.T.flatten()]]
        return weight / weight.sum(1, keepdim=True).clamp(min=1e-9)

    def _cross(self, entities: Entities, encoded: Encoded, pairs: torch.Tensor) -> torch.Tensor:
        """Return the cross-graph attention α of both sides' neighbours, left entities first; (2B, K), not normalised.

        α_p ∝ Σ_q exp(-s ‖k_p - k_q‖₂) over the other side's neighbours, with the projected names for keys k, a learned
        sharpness s, and a neighbour's rarity, so that hubs weigh little.
        """
        one, other = (entities.neighbours[side] for side in pairs.unbind(1))
        near = meeting(
            entities, one, other, self.sharpness.dtype,
            lambda cosine: (-self.sharpness * (2 - 2 * cosine).clamp(min=1e-12).sqrt()).exp(),
        )  # fmt: skip
        return torch.cat([near.sum(2), near.sum(1)]) * entities.rarity[torch.cat([one, other]).clamp(min=0)]

    @staticmethod
    def _combine(encoded: Encoded, ends: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Sum the messages W_r h_j of the neighbours of pairs' ends (2B,) by their weights (2B, K); (2B, d)."""
        return weighed(encoded.messages, encoded.heard[encoded.place[ends]], weight)
