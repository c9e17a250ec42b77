"""Which agents are neighbours: those next to each other on the road or beside it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.merge.observations import VIEW
from stmg_envs.merge.roads import BESIDE, ONWARD, RAMP, THROUGH, roads
from stmg_envs.merge.vehicles import Vehicles


def neighbors(vehicles: Vehicles, n: int) -> Tensor:
    """The neighbour graph of the agents, bool (n, n, B), symmetric, False on the diagonal.

    Of each of the two roads, through road and ramp, an agent notices the nearest vehicle in front and behind,
    within view: of its own road always, of the other one where they run side by side. Two agents are
    neighbours if one of them notices the other; human drivers only stand between.
    """
    lane, x = vehicles.lane, vehicles.x
    through = roads(x.device).through[lane]
    ahead = x - x[:n, None]  # (n, V, B)
    own = through == through[:n, None]
    alone = (lane[:n] == RAMP) | (lane[:n] == ONWARD) | ((lane[:n] == THROUGH) & (x[:n] <= BESIDE))
    itself = torch.eye(vehicles.count, dtype=torch.bool, device=x.device)[:n, :, None]
    seen = (ahead.abs() <= VIEW) & vehicles.present & vehicles.present[:n, None] & ~itself
    front = ahead >= 0
    graph = torch.zeros_like(seen[:, :n])
    for road in (own, ~own & ~alone[:, None]):
        for side in (front, ~front):
            distance = torch.where(seen & road & side, ahead.abs(), math.inf)
            nearest = distance.amin(dim=1, keepdim=True)
            graph |= (distance[:, :n] == nearest) & (distance[:, :n] < math.inf)
    return graph | graph.transpose(0, 1)
