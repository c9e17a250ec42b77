"""What agents see: themselves and the nearest vehicles around them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.merge.vehicles import Vehicles

VIEW = 180.0
"""How far an agent sees, metres."""

SEEN = 4
"""Vehicles that an agent sees beside itself, at most."""

FEATURES = 5
"""Numbers per vehicle: presence, x, y, velocity along x and y."""

X_SCALE, Y_SCALE, SPEED_SCALE = 150.0, 12.0, 45.0
"""What is shown as 1, metres and metres per second."""


def in_metres(observations: Tensor) -> Tensor:
    """Observations (..., obs_dim) as rows of vehicles (..., 5, 5), oneself first, in metres and seconds.

    Each row is presence, x, y, and velocity along x and y; those of others are relative to oneself.
    """
    scale = observations.new_tensor([1.0, X_SCALE, Y_SCALE, SPEED_SCALE, SPEED_SCALE])
    return observations[..., : FEATURES * (1 + SEEN)].unflatten(-1, (1 + SEEN, FEATURES)) * scale


def observe(vehicles: Vehicles, n: int, observe_id: bool) -> Tensor:
    """Observations of the first n vehicles, float32 (B, n, obs_dim); zeros of those that are absent.

    The nearest are those at the least distance along the road.
    """
    x, y = vehicles.x, vehicles.y
    velocity_x, velocity_y = vehicles.speed * vehicles.heading.cos(), vehicles.speed * vehicles.heading.sin()
    batch, width = x.shape[1], FEATURES * (1 + SEEN) + n * observe_id
    view = torch.zeros(n, width, batch, dtype=torch.float64, device=x.device)
    table = torch.stack([x / X_SCALE, y / Y_SCALE, velocity_x / SPEED_SCALE, velocity_y / SPEED_SCALE])
    own = table[:, :n]  # (4, n, B)
    view[:, 0] = 1
    view[:, 1:FEATURES] = own.transpose(0, 1)
    along, across = x - x[:n, None], y - y[:n, None]  # (n, V, B)
    seen = along.square() + across.square() < VIEW**2
    seen &= ~torch.eye(vehicles.count, dtype=torch.bool, device=x.device)[:n, :, None]
    distance = torch.where(seen, along.abs(), math.inf)
    for row in range(1, 1 + min(SEEN, vehicles.count - 1)):
        least, nearest = distance.min(dim=1)  # (n, B)
        distance.scatter_(1, nearest[:, None], math.inf)
        there = least < math.inf
        view[:, FEATURES * row] = there
        other = table.gather(1, nearest.expand(4, -1, -1)) - own
        view[:, FEATURES * row + 1 : FEATURES * (row + 1)] = (other * there).transpose(0, 1)
    if observe_id:
        view[:, FEATURES * (1 + SEEN) :] = torch.eye(n, device=x.device)[..., None]
    view *= vehicles.present[:n, None]
    return view.float().permute(2, 0, 1).contiguous()
