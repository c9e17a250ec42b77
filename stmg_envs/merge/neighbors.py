"""Which agents are neighbours: those next to each other on the road or beside it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.merge.observations import VIEW
from stmg_envs.merge.roads import roads
from stmg_envs.merge.vehicles import Vehicles, itself


def neighbors(vehicles: Vehicles, n: int) -> Tensor:
    """The neighbour graph of the agents, bool (n, n, B), symmetric, False on the diagonal.

    Of each of the two roads, through road and ramp, an agent notices the nearest vehicle in front and behind,
    within view: of its own road always, of the other one where they run side by side. Two agents are
    neighbours if one of them notices the other; human drivers only stand between.
    """
    lane, x = vehicles.lane, vehicles.x
    lanes = roads(x.device)
    through = lanes.through[lane]
    ahead = x - x[:n, None]  # (n, V, B)
    own = through == through[:n, None]
    beside = x[:n] > lanes.beside[lane[:n]]
    seen = ahead.abs() <= VIEW
    seen &= vehicles.present & vehicles.present[:n, None] & ~itself(n, vehicles.count, x.device)
    noticed = torch.stack([own, ~own & beside[:, None]])  # (2, n, V, B)
    sides = torch.stack([ahead >= 0, ahead < 0])[:, None]
    distance = torch.where(seen & noticed & sides, ahead.abs(), math.inf)  # (2, 2, n, V, B)
    nearest = distance.amin(dim=3, keepdim=True)
    next_to = (distance[..., :n, :] == nearest) & (nearest < math.inf)
    graph = next_to.flatten(0, 1).any(dim=0)
    return graph | graph.transpose(0, 1)
