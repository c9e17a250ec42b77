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


def pairwise_sum(values: Tensor, dim: int) -> Tensor:
    """The sum over a dimension, halved again and again.

    The order of the additions depends on nothing but the size; that of torch's own sum also depends on
    the layout, and with it a world's last digits would depend on its batch. It is faster, too.
    """
    while (size := values.shape[dim]) > 1:
        half = size // 2
        total = values.narrow(dim, 0, half) + values.narrow(dim, half, half)
        if size % 2:
            total.narrow(dim, 0, 1).add_(values.narrow(dim, size - 1, 1))
        values = total
    return values.squeeze(dim)
