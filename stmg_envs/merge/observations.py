"""What agents see: themselves and the nearest vehicles around them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.merge.roads import roads
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


@dataclass(frozen=True)
class Sight:
    """How all vehicles look from the first n, computed once for all who ask.

    Attributes:
        vehicles: the vehicles.
        features: presence, x, y, and velocity along them, (5, V, B), metres and seconds.
        gaps: from the first n along and across the road, (2, n, V, B), metres.
        ahead: along the road, (n, V, B).
        distance: the same without sign.
        through: whether vehicles are on the through road, bool (V, B).
    """

    vehicles: Vehicles
    features: Tensor
    gaps: Tensor
    ahead: Tensor
    distance: Tensor
    through: Tensor

    @classmethod
    def of(cls, vehicles: Vehicles, n: int) -> Sight:
        x, y, speed, heading = vehicles.x, vehicles.y, vehicles.speed, vehicles.heading
        one = _scales(x.device)[0].expand_as(x)
        features = torch.stack([one, x, y, speed * heading.cos(), speed * heading.sin()])
        gaps = features[1:3, None] - features[1:3, :n, None]
        ahead = gaps[0]
        through = roads(x.device).through[vehicles.lane]
        return cls(vehicles, features, gaps, ahead, ahead.abs(), through)


@functools.cache
def _reach(n: int, count: int, device: torch.device) -> Tensor:
    """The squares of distances from which on the first n vehicles are not seen, float64 (n, V, 1).

    Nobody sees itself.
    """
    reach = torch.full((n, count, 1), VIEW**2, dtype=torch.float64, device=device)
    return reach.masked_fill_(itself(n, count, device), 0)


@functools.cache
def _names(n: int, device: torch.device) -> Tensor:
    """The indices of n agents, one-hot, float32 (n, n, 1)."""
    return itself(n, n, device).float()


def observe(sight: Sight, observe_id: bool) -> Tensor:
    """Observations of the first n vehicles, float32 (B, n, obs_dim); zeros of those that are absent.

    The nearest are those at the least distance along the road.
    """
    n, count, batch = sight.ahead.shape
    device, rows = sight.ahead.device, min(SEEN, count - 1)
    along, across = sight.gaps.square()
    hidden = along.add_(across) >= _reach(n, count, device)
    distance, order = nearest(sight.distance.masked_fill(hidden, FAR), rows)
    features = sight.features / _scales(device)
    own = features[:, :n, None]
    others = features.gather(1, order.view(1, -1, batch).expand(FEATURES, -1, -1)).view(
        FEATURES, n, rows, batch
    )
    others[1:].sub_(own[1:])
    width = FEATURES * (1 + SEEN)
    view = own.new_empty(n, width + n * observe_id, batch, dtype=torch.float32)
    cells = view[:, :width].unflatten(1, (1 + SEEN, FEATURES)).permute(2, 0, 1, 3)  # (5, n, 1 + SEEN, B)
    cells[:, :, :1] = own
    torch.mul(others, distance < FAR, out=cells[:, :, 1 : 1 + rows])
    if rows < SEEN:
        cells[:, :, 1 + rows :] = 0
    if observe_id:
        view[:, width:] = _names(n, device)
    view *= sight.vehicles.present[:n, None]
    # Transposed as a matrix, which is fast.
    return view.flatten(0, 1).t().contiguous().view(batch, n, -1)
