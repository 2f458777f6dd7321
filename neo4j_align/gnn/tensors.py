"""Tensors as arrays, which travel between processes without a copy."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import nn

Tensor = torch.Tensor
Weights = dict[str, npt.NDArray[Any]]  # of a network, by their names
Module = TypeVar("Module", bound=nn.Module)


def array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """Return a tensor as an array, in the same memory if that is the processor's."""
    return tensor.detach().cpu().contiguous().numpy()


def tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    """Return an array as a tensor in the same memory, which may be there to be read alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns of what writing to it would do
        return torch.from_numpy(array)


def weights(network: nn.Module) -> Weights:
    """Return a network's weights as arrays."""
    return {name: array(value) for name, value in network.state_dict().items()}


def restored(network: Module, weights: Weights) -> Module:
    """Give a network these weights, and return it in evaluation mode."""
    network.load_state_dict({name: tensor(value) for name, value in weights.items()})
    return network.eval()
