"""Training in a group of processes, each with a share of every batch (PyTorch's DistributedDataParallel), or alone.

Whoever starts the processes makes the group; without one all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

Judge = Callable[[torch.Tensor], torch.Tensor]  # rows of the examples → logits


def count() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def differ(seed: int) -> None:
    """Let each process of a group leave out neurons of its own, where all began with one seed."""
    if count() > 1:
        torch.manual_seed(seed + distributed.get_rank())


def share(rows: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return this process's part of some rows, (B,), and how much its mean loss weighs in the mean of the processes.

    Where there are fewer rows than processes, each takes all.
    """
    if len(rows) < count():
        return rows, 1.0
    part = rows if count() == 1 else rows.tensor_split(count())[distributed.get_rank()]
    return part, len(part) * count() / len(rows)


def gathered(part: torch.Tensor, total: int) -> torch.Tensor:
    """Return what all processes made of their shares, in the order of the rows, (B,)."""
    if count() == 1 or total < count():
        return part
    whole = torch.zeros(total, dtype=part.dtype, device=part.device)
    whole.tensor_split(count())[distributed.get_rank()].copy_(part)
    distributed.all_reduce(whole)  # every row is zero in all others: nothing is rounded
    return whole


def judging(network: nn.Module, judge: Judge) -> Judge:
    """Return what judges as `judge` does with a network, and gives it the mean gradient of all processes."""
    return judge if count() == 1 else DistributedDataParallel(_Judging(network, judge), broadcast_buffers=False)


class _Judging(nn.Module):
    """The form in which DistributedDataParallel takes a network and what is made with it."""

    def __init__(self, network: nn.Module, judge: Judge) -> None:
        super().__init__()
        self.network = network
        self._judge = judge

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self._judge(rows)
