"""How the tensors of many worlds lie in memory: the same number of all worlds side by side.

Shapes stay (B, ...) everywhere. But with two or four numbers innermost, broadcasting over pairs of
bodies works in runs of two or four; with the batch innermost it works in runs of B, several times as
fast on a CPU. Elementwise operations keep the layout of what they are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def batch_last(values: Tensor) -> Tensor:
    """The same values (B, ...) with the batch innermost in memory; a copy only where they are not yet."""
    last = values.dim() - 1
    return values.permute(*range(1, last + 1), 0).contiguous().permute(last, *range(last))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Parts (B, k, ...) as one tensor along the second axis, with the batch innermost in memory."""
    axes = [*range(1, parts[0].dim()), 0]
    return torch.cat([part.permute(axes) for part in parts]).permute(-1, *range(len(axes) - 1))


def batch_first(values: Tensor) -> Tensor:
    """The same values (B, ...), contiguous; a fast transposition from the layout of `batch_last`."""
    return values.movedim(0, -1).flatten(0, -2).t().contiguous().view(values.shape)
