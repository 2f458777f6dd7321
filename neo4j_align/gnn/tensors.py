"""Tensors as arrays, which travel between processes without a copy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy.typing as npt
import torch

Tensor = torch.Tensor


def array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """Return a tensor as an array, in the same memory if that is the processor's."""
    return tensor.detach().cpu().contiguous().numpy()


def tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    """Return an array as a tensor in the same memory, which may be there to be read alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns of what writing to it would do
        return torch.from_numpy(array)
