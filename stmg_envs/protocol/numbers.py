"""Numbers as tensors, for operations of tensors that would otherwise make them anew each time."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


@functools.cache
def number(value: float, device: torch.device) -> Tensor:
    """A number on a device, float64 (); beside floats with axes it takes their type, as plain numbers do."""
    return torch.tensor(value, dtype=torch.float64, device=device)
