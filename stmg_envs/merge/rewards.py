"""What agents are paid: for safety, speed, distance, and for not lingering on the merge lane.

Weights and form are those of Chen et al. 2021.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stmg_envs.merge.roads import MERGE, MERGE_END, MERGING, roads
from stmg_envs.merge.vehicles import Vehicles, itself
from stmg_envs.protocol import number

RewardMode = Literal["own", "regional", "global"]

CRASH_WEIGHT, HEADWAY_WEIGHT, MERGE_WEIGHT = 200.0, 4.0, 4.0

SLOW, FAST = 10.0, 30.0
"""Speeds that are worth 0 and 1, metres per second."""

TIME_HEADWAY = 1.2
FARTHEST_HEADWAY = 60.0
"""What agents should keep to the vehicle ahead, s, and beyond what it does not matter, metres."""


def headways(lane: Tensor, ahead: Tensor) -> Tensor:
    """Metres from agents to the nearest vehicle ahead in the same or the next lane, (n, B), at most 60.

    Args:
        lane: of vehicles, int64 (V, B).
        ahead: how far ahead of the first n vehicles all are, (n, V, B), metres.
    """
    leads = roads(lane.device).drives_ahead(lane[: len(ahead), None], lane) & (ahead > 0)
    # Nobody is ahead of itself, so that the least is never more.
    return torch.where(leads, ahead, number(FARTHEST_HEADWAY, lane.device)).amin(dim=1)


def own_rewards(vehicles: Vehicles, ahead: Tensor) -> Tensor:
    """The rewards of agents without regard to others, float64 (n, B).

    Args:
        vehicles: the vehicles, agents first.
        ahead: how far ahead of agents all are, (n, V, B), metres.
    """
    n = len(ahead)
    speed, lane = vehicles.speed[:n], vehicles.lane
    # The reward of speed has a weight of 1, the unit of the others.
    reward = ((speed - SLOW) / (FAST - SLOW)).clamp_(0, 1)
    headway = (headways(lane, ahead) / (TIME_HEADWAY * speed)).log_().clamp_(max=0)
    lingers = (vehicles.x[:n] - MERGE_END).square_().div_(-10 * MERGING).exp_()
    reward.add_(headway.masked_fill_(speed <= 0, 0), alpha=HEADWAY_WEIGHT)
    reward.sub_(lingers.masked_fill_(lane[:n] != MERGE, 0), alpha=MERGE_WEIGHT)
    return reward.add_(vehicles.crashed[:n], alpha=-CRASH_WEIGHT)


def share(rewards: Tensor, graph: Tensor, present: Tensor, mode: RewardMode) -> Tensor:
    """Rewards as agents get them, (n, B).

    Args:
        rewards: own rewards, (n, B).
        graph: neighbour graph, bool (n, n, B).
        present: bool (n, B); absent agents get 0 and count for nobody.
        mode: "own"; "regional", the mean over an agent and its neighbours; "global", that over all agents.
    """
    own = torch.where(present, rewards, number(0.0, rewards.device))
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
