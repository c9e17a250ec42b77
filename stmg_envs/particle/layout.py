"""How the tensors of many worlds lie in memory: the same number of all worlds side by side.

Shapes stay (B, ...) everywhere. But with two or four numbers innermost, broadcasting over pairs of
bodies works in runs of two or four; with the batch innermost it works in runs of B, several times as
fast on a CPU. Elementwise operations keep the layout of what they are given.
"""

from __future__ import annotations

from torch import Tensor


def batch_last(values: Tensor) -> Tensor:
    """The same values (B, ...) with the batch innermost in memory; a copy only where they are not yet."""
    return values.movedim(0, -1).contiguous().movedim(-1, 0)


def batch_first(values: Tensor) -> Tensor:
    """The same values (B, ...), contiguous; a fast transposition from the layout of `batch_last`."""
    return values.movedim(0, -1).flatten(0, -2).t().contiguous().view(values.shape)
