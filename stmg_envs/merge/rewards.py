"""What agents are paid: for safety, speed, distance, and for not lingering on the merge lane.

Weights and form are those of Chen et al. 2021.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stmg_envs.merge.roads import MERGE, MERGE_END, MERGING, roads
from stmg_envs.merge.vehicles import Vehicles, itself

RewardMode = Literal["own", "regional", "global"]

CRASH_WEIGHT, SPEED_WEIGHT, HEADWAY_WEIGHT, MERGE_WEIGHT = 200.0, 1.0, 4.0, 4.0

SLOW, FAST = 10.0, 30.0
"""Speeds that are worth 0 and 1, metres per second."""

TIME_HEADWAY = 1.2
FARTHEST_HEADWAY = 60.0
"""What agents should keep to the vehicle ahead, s, and beyond what it does not matter, metres."""


def headways(vehicles: Vehicles, n: int) -> Tensor:
    """Metres from agents to the nearest vehicle ahead in the same or the next lane, (n, B), at most 60."""
    lane, ahead = vehicles.lane, vehicles.x - vehicles.x[:n, None]
    leads = roads(lane.device).drives_ahead(lane[:n, None], lane) & (ahead > 0)
    return torch.where(leads, ahead, FARTHEST_HEADWAY).amin(dim=1).clamp_(max=FARTHEST_HEADWAY)


def own_rewards(vehicles: Vehicles, n: int) -> Tensor:
    """The rewards of agents without regard to others, float64 (n, B)."""
    speed, x = vehicles.speed[:n], vehicles.x[:n]
    fast = ((speed - SLOW) / (FAST - SLOW)).clamp_(0, 1)
    headway = (
        (headways(vehicles, n) / (TIME_HEADWAY * speed)).log_().clamp_(max=0).masked_fill_(speed <= 0, 0)
    )
    lingers = (x - MERGE_END).square_().div_(-10 * MERGING).exp_().masked_fill_(vehicles.lane[:n] != MERGE, 0)
    reward = (SPEED_WEIGHT * fast).add_(headway, alpha=HEADWAY_WEIGHT).sub_(lingers, alpha=MERGE_WEIGHT)
    return reward - CRASH_WEIGHT * vehicles.crashed[:n]


def share(rewards: Tensor, graph: Tensor, present: Tensor, mode: RewardMode) -> Tensor:
    """Rewards as agents get them, (n, B).

    Args:
        rewards: own rewards, (n, B).
        graph: neighbour graph, bool (n, n, B).
        present: bool (n, B); absent agents get 0 and count for nobody.
        mode: "own"; "regional", the mean over an agent and its neighbours; "global", that over all agents.
    """
    own = torch.where(present, rewards, 0.0)
    if mode == "own":
        return own
    if mode == "global":
        return present * (total(own) / present.sum(dim=0))
    n = len(own)
    region = (graph | itself(n, n, own.device)) & present
    return present * (total((region * own).transpose(0, 1)) / region.sum(dim=1).clamp_(min=1))


def total(values: Tensor) -> Tensor:
    """The sum over the first axis, in its order: torch's own rounds differently in other batches."""
    return sum(values.unbind(0)[1:], start=values[0])
