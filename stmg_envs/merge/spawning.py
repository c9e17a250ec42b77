"""Where an episode begins: vehicles spread over the first part of both roads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.merge.roads import RAMP, RAMP_Y, THROUGH
from stmg_envs.merge.simulation import level_speed, speed_level
from stmg_envs.merge.traffic import THINKING_TIME
from stmg_envs.merge.vehicles import Vehicles
from stmg_envs.protocol import Streams

PLACES = 6
THROUGH_START, RAMP_START, SPACING = 10.0, 5.0, 40.0
SPREAD = 1.5
"""Places on each road, their first x and distance, and how far a vehicle may stand from one, metres."""

SPEEDS = (25.0, 27.0)
"""Metres per second."""

NOWHERE = -1e4
"""Absent vehicles stand this far apart, metres, and from everything."""


@dataclass(frozen=True)
class Crowd:
    """How many vehicles there are: bounds, both included, of uniformly random numbers.

    Attributes:
        agents: of agents.
        traffic: of human drivers.
    """

    agents: tuple[int, int]
    traffic: tuple[int, int]

    @property
    def count(self) -> int:
        """V, room for all."""
        return self.agents[1] + self.traffic[1]


def spawn(crowd: Crowd, streams: Streams) -> Vehicles:
    """The first vehicles of B episodes.

    Half of the agents and half of the human drivers, rounded down, start on the through road, the others on
    the ramp, at different places; agents of the through road come first, then those of the ramp, then human
    drivers in the same way.
    """
    n, size = crowd.agents[1], crowd.count
    # One draw, for each is many short operations.
    counts, places, numbers = streams.bits(2 + 2 * PLACES + 2 * size).split([2, 2 * PLACES, 2 * size], dim=1)
    agents, traffic = (
        low + (chance * (high - low + 1)).long()
        for chance, (low, high) in zip(
            Streams.to_uniform(counts, torch.float64).unbind(1), (crowd.agents, crowd.traffic), strict=True
        )
    )
    orders = places.unflatten(1, (2, PLACES)).argsort(dim=-1).permute(1, 2, 0)  # (2, PLACES, B)
    noise, pace = Streams.to_uniform(numbers, torch.float64).t().contiguous().unflatten(0, (2, size))
    speed = SPEEDS[0] + (SPEEDS[1] - SPEEDS[0]) * pace

    index = torch.arange(size, device=noise.device)[:, None]
    driver = index >= n
    number = torch.where(driver, index - n, index)
    total = torch.where(driver, traffic, agents)
    on_through = number < total // 2
    ahead_in_line = driver * torch.where(on_through, agents // 2, agents - agents // 2)
    slot = torch.where(on_through, number, number - total // 2) + ahead_in_line
    present = number < total
    slot = torch.where(present, slot, 0)
    place = torch.where(on_through, orders[0].gather(0, slot), orders[1].gather(0, slot))
    x = torch.where(on_through, THROUGH_START, RAMP_START) + SPACING * place + SPREAD * (2 * noise - 1)
    y = torch.where(on_through, 0.0, RAMP_Y).double()
    x = torch.where(present, x, NOWHERE * (1 + index))
    y = torch.where(present, y, NOWHERE)
    speed = torch.where(present, speed, 0.0)
    lane = torch.where(on_through, THROUGH, RAMP)
    zero = torch.zeros_like(x)
    return Vehicles(
        x=x,
        y=y,
        heading=zero,
        speed=speed,
        target_speed=torch.where(driver, speed, level_speed(speed_level(speed))),
        timer=_first_timer(x + y),
        push_x=zero,
        push_y=zero,
        pushed=torch.zeros_like(present),
        lane=lane,
        target=lane,
        crashed=~present,
        present=present,
    )


def _first_timer(place: Tensor) -> Tensor:
    """What spreads the drivers' thoughts over time, as highway-env does it."""
    return torch.remainder(place * math.pi, THINKING_TIME)
