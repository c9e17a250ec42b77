"""Which agents are neighbours: those next to each other on the road or beside it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.merge.observations import VIEW, Sight
from stmg_envs.merge.roads import roads
from stmg_envs.merge.vehicles import itself
from stmg_envs.protocol import number


def neighbors(sight: Sight) -> Tensor:
    """The neighbour graph of the agents, bool (n, n, B), symmetric, False on the diagonal.

    Of each of the two roads, through road and ramp, an agent notices the nearest vehicle in front and behind,
    within view: of its own road always, of the other one where they run side by side. Two agents are
    neighbours if one of them notices the other; human drivers only stand between.
    """
    vehicles, n = sight.vehicles, len(sight.ahead)
    lanes, tables = roads(vehicles.x.device), _tables(n, vehicles.count, vehicles.x.device)
    own = sight.through == sight.through[:n, None]
    beside = vehicles.x[:n] > lanes.beside[vehicles.lane[:n]]
    seen = sight.distance <= VIEW
    seen &= vehicles.present & vehicles.present[:n, None] & tables.others
    noticed = torch.stack([own, beside[:, None] > own])  # (2, n, V, B); of the other road: and not its own
    sides = (sight.ahead >= 0) ^ tables.behind  # (2, 1, n, V, B)
    noticed = seen & noticed & sides
    distance = torch.where(noticed, sight.distance, number(math.inf, noticed.device))  # (2, 2, n, V, B)
    nearest = distance.amin(dim=3, keepdim=True)
    next_to = (distance[..., :n, :] == nearest) & noticed[..., :n, :]
    graph = next_to.flatten(0, 1).any(dim=0)
    return graph | graph.transpose(0, 1)


@dataclass(frozen=True)
class _Tables:
    """Constants on a device.

    Attributes:
        others: which of all vehicles are not which of the first n, bool (n, V, 1).
        behind: which of the two sides is not the one ahead, bool (2, 1, 1, 1, 1).
    """

    others: Tensor
    behind: Tensor


@functools.cache
def _tables(n: int, count: int, device: torch.device) -> _Tables:
    return _Tables(
        others=~itself(n, count, device),
        behind=torch.tensor([False, True], device=device)[:, None, None, None, None],
    )
