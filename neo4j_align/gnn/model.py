"""The network: CG-MuAlign (Zhu et al., WWW 2020) with a residual head on comparison features.

One set of weights serves both graphs and all entity types. Shapes: N entities, D destinations, S sources, B pairs,
K neighbours, d width, R relation maps, F features of a pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn
from torch.nn import functional

from neo4j_align.gnn.batch import Hop, hop
from neo4j_align.gnn.features import SKETCH, Entities
from neo4j_align.gnn.overlap import identify

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
        hidden: (E, 2d), inside: (E, d), key: (E, SKETCH), what `Network.encode` returns.
        place: (N,), where each of these E entities stands in the three.
    """

    hidden: torch.Tensor
    inside: torch.Tensor
    key: torch.Tensor
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
        bins = ((features[:, feature] - low) / (high - low)).clamp(0, 1)
        kind = functional.one_hot(types, self.shape.types).to(features.dtype)
        plain = ((features[:, moving] - self.mean[moving]) * self.scale[moving]).clamp(-6, 6)
        return torch.cat([plain, bins, kind], dim=1)

    def through(self, layer: nn.Module, known: torch.Tensor) -> torch.Tensor:
        """Apply a layer that has weights for all `width` inputs to those that are there."""
        (moving, feature, number), count = self._alive(), self.shape.features
        kinds = torch.arange(self.shape.types, device=known.device)
        kept = torch.cat([moving, count + feature * BINS + number, count * (1 + BINS) + kinds])
        weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
        return functional.linear(known, weight[:, kept], bias)

    def forward(self, known: torch.Tensor) -> torch.Tensor:
        """Judge encoded pairs, as `known` gives them; logits of each head, (B, HEADS)."""
        judged = [head[1:](self.through(head[0], known)) for head in self.heads if isinstance(head, nn.Sequential)]
        return self.through(self.direct, known) + torch.cat(judged, dim=1)


class Network(nn.Module):
    """Encodes entities once (level 0 and layer 1), then judges pairs (cross-graph layer and head)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        d, maps = shape.width, shape.maps
        self.text = nn.Linear(2 * SKETCH, d)
        self.kind = nn.Embedding(shape.types, d)
        self.own = nn.Linear(d, d)
        self.key = nn.Linear(SKETCH, SKETCH, bias=False)
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
        nn.init.eye_(self.key.weight)
        for parameter in self.head[-1].parameters():  # the network begins by adding nothing to the comparison
            nn.init.zeros_(parameter)

    def encode(self, entities: Entities, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encode entities (D,) from their attributes and their sampled neighbours' (equations 1 and 2).

        Returns:
            Their vectors (D, 2d), the same as others see them as neighbours (D, d), and the keys by which neighbours
            of two entities find each other (D, SKETCH).
        """
        edges = hop(entities, ids, self.shape.maps)
        level0 = self._level0(entities, edges.sources)
        hidden = functional.relu(torch.cat([self.own(level0[edges.own]), self._aggregate(level0, edges)], dim=1))
        key = functional.normalize(self.key(entities.name[ids].to(self.key.weight.dtype)), dim=1)
        return hidden, self.widen(hidden), key

    def _level0(self, entities: Entities, ids: torch.Tensor) -> torch.Tensor:
        words = torch.cat([entities.name[ids], entities.record[ids]], dim=1).to(self.text.weight.dtype)
        return functional.relu(self.text(words * SKETCH**0.5) + self.kind(entities.type[ids]))

    def _aggregate(self, level0: torch.Tensor, edges: Hop) -> torch.Tensor:
        """Sum the neighbours' messages W_r h_j with relation-aware attention; (D, d).

        The sum over a relation's neighbours comes before the map, so that each map runs once a destination.
        """
        projected = torch.einsum("nd,rd->nr", level0, self._through(self.attend1[:, 1], self.relation1))
        mine = torch.einsum("nd,rd->nr", level0[edges.own], self.attend1[:, 0])
        logits = mine[edges.destination, edges.relation] + projected[edges.source, edges.relation]
        weights = edges.to_destination.softmax(functional.leaky_relu(logits, 0.2))
        parts = edges.to_group.sum(level0, weights).split(edges.group_sizes)
        mapped = torch.cat([part @ self.relation1[r] for r, part in enumerate(parts)])
        return mapped.new_zeros(len(edges.own), mapped.shape[1]).index_add(0, edges.group_destination, mapped)

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
        messages = self._messages(entities, encoded, pairs)
        combined = self._cross(entities, encoded, pairs, messages)
        own = [self.own2(encoded.hidden[encoded.place[side]]) for side in pairs.unbind(1)]
        left, right = (functional.relu(torch.cat(part, dim=1)) for part in zip(own, combined, strict=True))
        network = self.head(torch.cat([(left - right).abs(), left * right], dim=1))
        known = self.comparison.known(features, entities.type[pairs[:, 0]])
        judged: torch.Tensor = self.comparison(known).mean(1) + (
            self.comparison.through(self.gate, known).sigmoid() * network
        ).squeeze(1)
        return judged

    def _messages(
        self, entities: Entities, encoded: Encoded, pairs: torch.Tensor
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return, for both sides, the messages z = W_r h (B, K, d) and logits of self-attention β (B, K)."""
        ids, back = torch.unique(pairs, return_inverse=True)
        relation = entities.relations[ids]
        neighbours = encoded.inside[encoded.place[entities.neighbours[ids].clamp(min=0)]]  # (U, K, d)
        order = relation.flatten().argsort(stable=True)
        sizes = torch.bincount(relation.flatten(), minlength=self.shape.maps).tolist()
        parts = neighbours.flatten(0, 1)[order].split(sizes)
        mapped = torch.cat([part @ self.relation2[r] for r, part in enumerate(parts)])
        message = mapped[order.argsort()].view_as(neighbours) * (relation > 0).unsqueeze(2)
        mine = torch.einsum("ud,rd->ur", encoded.inside[encoded.place[ids]], self.attend2[:, 0]).gather(1, relation)
        logits = functional.leaky_relu(mine + (self.attend2[relation, 1] * message).sum(2), 0.2)
        return [(message[side], logits[side]) for side in back.unbind(1)]

    def attention(self, entities: Entities, encoded: Encoded, pairs: torch.Tensor) -> list[torch.Tensor]:
        """Return how much each neighbour of the left and of the right entity tells of pairs, (B, 2); two of (B, K)."""
        messages = self._messages(entities, encoded, pairs)
        return self._weights(entities, encoded, pairs, [logits for _, logits in messages])

    def _cross(
        self,
        entities: Entities,
        encoded: Encoded,
        pairs: torch.Tensor,
        messages: list[tuple[torch.Tensor, torch.Tensor]],
    ) -> list[torch.Tensor]:
        """Sum both sides' messages by their weights; two of (B, d)."""
        weights = self._weights(entities, encoded, pairs, [logits for _, logits in messages])
        return [(w.unsqueeze(2) * message).sum(1) for w, (message, _) in zip(weights, messages, strict=True)]

    def _weights(
        self, entities: Entities, encoded: Encoded, pairs: torch.Tensor, own: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        """Weigh both sides' neighbours by α · β, renormalised (equations 3 to 6); two of (B, K).

        α_p ∝ Σ_q exp(-‖k_p - k_q‖₂) over the other side's neighbours, with keys k from the normalised names, and a
        neighbour's rarity, so that hubs weigh little.

        Args:
            own: logits of self-attention β, (B, K) of both sides.
        """
        ids = [entities.neighbours[side] for side in pairs.unbind(1)]
        valid = [side >= 0 for side in ids]
        keys = [encoded.key[encoded.place[side.clamp(min=0)]] for side in ids]
        product = torch.bmm(keys[0], keys[1].transpose(1, 2))
        near = (-self.sharpness * (2 - 2 * product).clamp(min=1e-12).sqrt()).exp()
        near = identify(entities, ids[0].clamp(min=0), ids[1].clamp(min=0), near)
        near = near * valid[0].unsqueeze(2) * valid[1].unsqueeze(1)
        weights = []
        for side, total in enumerate((near.sum(2), near.sum(1))):
            cross = total * entities.rarity[ids[side].clamp(min=0)]
            weight = cross * own[side].masked_fill(~valid[side], -1e9).softmax(1) * valid[side]
            weights.append(weight / weight.sum(1, keepdim=True).clamp(min=1e-9))
        return weights
