"""What agents see: themselves and the nearest vehicles around them."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from stmg_envs.merge.vehicles import Vehicles, itself

VIEW = 180.0
"""How far an agent sees, metres."""

SEEN = 4
"""Vehicles that an agent sees beside itself, at most."""

FEATURES = 5
"""Numbers per vehicle: presence, x, y, velocity along x and y."""

X_SCALE, Y_SCALE, SPEED_SCALE = 150.0, 12.0, 45.0
"""What is shown as 1, metres and metres per second."""

FAR = 1e300
"""How far away what is not seen counts, metres."""

SCALES = (1.0, X_SCALE, Y_SCALE, SPEED_SCALE, SPEED_SCALE)
"""The same for each feature."""


def in_metres(observations: Tensor) -> Tensor:
    """Observations (..., obs_dim) as rows of vehicles (..., 5, 5), oneself first, in metres and seconds.

    Each row is presence, x, y, and velocity along x and y; those of others are relative to oneself.
    """
    scale = _scales(observations.device).flatten().to(observations.dtype)
    return observations[..., : FEATURES * (1 + SEEN)].unflatten(-1, (1 + SEEN, FEATURES)) * scale


@functools.cache
def _scales(device: torch.device) -> Tensor:
    """What is shown as 1, float64 (5, 1, 1)."""
    return torch.tensor(SCALES, dtype=torch.float64, device=device)[:, None, None]


def nearest(distance: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The least distances of (n, V, B) in order, and whose they are, (n, count, B); ties in order of V.

    As a stable sort gives them, but few are wanted of many short columns, which is faster one by one.
    """
    found = [distance.min(dim=1, keepdim=True)]
    for _ in range(count - 1):
        distance = distance.scatter_(1, found[-1].indices, math.inf)
        found.append(distance.min(dim=1, keepdim=True))
    return torch.cat([one.values for one in found], dim=1), torch.cat([one.indices for one in found], dim=1)


def observe(vehicles: Vehicles, n: int, observe_id: bool) -> Tensor:
    """Observations of the first n vehicles, float32 (B, n, obs_dim); zeros of those that are absent.

    The nearest are those at the least distance along the road.
    """
    x, y, speed, heading = vehicles.x, vehicles.y, vehicles.speed, vehicles.heading
    batch, rows = x.shape[1], min(SEEN, vehicles.count - 1)
    table = torch.stack([torch.ones_like(x), x, y, speed * heading.cos(), speed * heading.sin()])  # (5, V, B)
    along, across = (table[1:3, None] - table[1:3, :n, None]).unbind(0)  # (n, V, B)
    hidden = (along.square() + across.square_() >= VIEW**2) | itself(n, vehicles.count, x.device)
    distance, order = nearest(along.abs_().masked_fill_(hidden, FAR), rows)
    table /= _scales(x.device)
    own = table[:, :n, None]
    others = table.gather(1, order.view(1, -1, batch).expand(FEATURES, -1, -1)).view(FEATURES, n, rows, batch)
    others[1:] -= own[1:]
    others *= distance < FAR
    cells = torch.cat([own, others], dim=2).float()  # (5, n, 1 + rows, B)
    parts = [cells.permute(1, 2, 0, 3).flatten(1, 2)]
    if rows < SEEN:
        parts.append(torch.zeros_like(parts[0][:, :1]).expand(-1, FEATURES * (SEEN - rows), -1))
    if observe_id:
        parts.append(itself(n, n, x.device).float().expand(-1, -1, batch))
    view = torch.cat(parts, dim=1).mul_(vehicles.present[:n, None])
    # Transposed as a matrix, which is fast.
    return view.flatten(0, 1).t().contiguous().view(batch, n, -1)
