"""Sums that do not depend on the batch they are made in."""

from __future__ import annotations

from torch import Tensor


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
