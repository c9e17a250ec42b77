"""Whether rectangles touch, and how to separate them.

Rectangles that do not touch can be separated along a side of one of them (separating axis theorem).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor


@functools.cache
def _signs(device: torch.device) -> Tensor:
    return torch.tensor([-1.0, 1.0], dtype=torch.float64, device=device)


def overlaps(sides: Tensor, half: Tensor, between: Tensor) -> tuple[Tensor, Tensor]:
    """Test pairs of rectangles.

    Args:
        sides: unit vectors along the first one, across it, along and across the second one, (2, 4, S).
        half: half of their lengths and widths, in that order, (4, S).
        between: from the second one to the first, and how the first moves relative to the second within a
            tick, (2, 2, S).

    Returns:
        Whether they intersect now, and whether they do if the first is also stretched by its relative motion,
        bool (2, S); and the shortest displacement of the first that ends this, (2, S), which is of no meaning
        if they do not.
    """
    # On each of the four axes: how far both extend to either side, where the first is, and how it moves.
    extent = sides[:, :, None] * sides[:, None]
    extent = extent[0].add_(extent[1]).abs_().mul_(half[:, None])
    reach, other_reach = extent[::2].add_(extent[1::2])  # (4, S)
    projected = between[:, :, None] * sides
    projected = projected[:, 0].add_(projected[:, 1])  # (2, 4, S)
    apart = projected[0]
    touch = (apart.abs() <= reach + other_reach).all(dim=0)

    # The first one covers [-ends[0], ends[1]] on each axis, the other [-other_reach, other_reach].
    moving = projected * _signs(sides.device).view(-1, *[1] * projected.dim())
    ends = moving[:, 0].add_(reach).add_(moving[:, 1].clamp_(min=0))  # (2, 4, S)
    depth = ends + other_reach  # negative where they are apart
    will_touch = (depth >= 0).flatten(0, 1).all(dim=0)
    # An axis and its opposite ask for different displacements where one interval contains the other.
    depth = torch.where(ends > other_reach, depth.flip(0), depth).abs_()
    least, axis = torch.minimum(depth[0], depth[1]).min(dim=0)
    size = torch.where(apart.gather(0, axis[None])[0] > 0, least, -least)
    direction = sides.gather(1, axis.expand(2, 1, *axis.shape))[:, 0]
    return torch.stack([touch, will_touch]), direction * size
