"""The passage of time on the road: decisions of agents, then ticks of the physics."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from stmg_envs.merge.collisions import collide
from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import roads
from stmg_envs.merge.traffic import drive
from stmg_envs.merge.vehicles import SPEED_GAIN, Motion, Vehicles, move, steer

ACTIONS = ("left", "idle", "right", "faster", "slower")
"""What an agent decides: to change lanes, nothing, or the next higher or lower target speed."""

LEFT, IDLE, RIGHT, FASTER, SLOWER = range(len(ACTIONS))

TARGET_SPEEDS = (10.0, 15.0, 20.0, 25.0, 30.0)
"""Metres per second."""

TICKS = 3
"""Of the physics per decision: 15 Hz and 5 Hz."""


def speed_level(speed: Tensor) -> Tensor:
    """The number of the target speed nearest to a speed."""
    low, high, top = TARGET_SPEEDS[0], TARGET_SPEEDS[-1], len(TARGET_SPEEDS) - 1
    return ((speed - low) / (high - low) * top).round().clamp_(0, top)


def level_speed(level: Tensor) -> Tensor:
    """The target speed of a number, metres per second."""
    low, high, top = TARGET_SPEEDS[0], TARGET_SPEEDS[-1], len(TARGET_SPEEDS) - 1
    return low + level * ((high - low) / top)


def action_mask(vehicles: Vehicles, n: int) -> Tensor:
    """The actions that are available to the first n vehicles, bool (A, n, B).

    Changing to the right never is on this road: the merge lane is closed to the through road.
    """
    lanes = roads(vehicles.x.device)
    side = lanes.side_lane[vehicles.lane[:n]]
    left = (side >= 0) & lanes.reachable(side.clamp(min=0), vehicles.x[:n], vehicles.y[:n])
    target = vehicles.target_speed[:n]
    always = torch.ones_like(left)
    faster, slower = target < TARGET_SPEEDS[-1], target > TARGET_SPEEDS[0]
    return torch.stack([left, always, ~always, faster, slower])


def decide(vehicles: Vehicles, target: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """What the decisions of agents change.

    Args:
        vehicles: the vehicles.
        target: the lanes that vehicles follow, int64 (V, B).
        actions: of the agents, int64 (n, B).

    Returns:
        Target lanes and target speeds, (V, B).
    """
    n = len(actions)
    lanes = roads(target.device)
    side = lanes.side_lane[target[:n]]
    change = (actions == LEFT) & (side >= 0)
    change &= lanes.reachable(side.clamp(min=0), vehicles.x[:n], vehicles.y[:n])
    step = (actions == FASTER).double() - (actions == SLOWER).double()
    wanted = level_speed((speed_level(vehicles.speed[:n]) + step).clamp_(0, len(TARGET_SPEEDS) - 1))
    wanted = torch.where(step != 0, wanted, vehicles.target_speed[:n])
    return (
        torch.cat([torch.where(change, side, target[:n]), target[n:]]),
        torch.cat([wanted, vehicles.target_speed[n:]]),
    )


def advance(vehicles: Vehicles, actions: Tensor, profile: Profile, ticks: int = TICKS) -> Vehicles:
    """Carry out one decision of the agents.

    Args:
        vehicles: the vehicles.
        actions: of the agents, int64 (n, B).
        profile: which simulator to follow.
        ticks: how long it takes, ticks.
    """
    n = len(actions)
    motion = Motion.of(vehicles)
    for tick in range(ticks):
        before = vehicles
        following = roads(actions.device).follow(vehicles.target, vehicles.x)
        target = torch.cat(
            [following[:n], torch.where(vehicles.crashed[n:], vehicles.target[n:], following[n:])]
        )
        if tick == 0:
            target, wanted = decide(vehicles, target, actions)
            vehicles = replace(vehicles, target_speed=wanted)
        chosen, timer, acceleration = drive(vehicles, motion, target, n, profile)
        own = SPEED_GAIN * (vehicles.target_speed[:n] - vehicles.speed[:n])
        vehicles = replace(vehicles, target=chosen, timer=torch.cat([vehicles.timer[:n], timer]))
        slip = steer(vehicles, motion, chosen)
        vehicles, motion = move(vehicles, motion, slip, torch.cat([own, acceleration]))
        vehicles = collide(vehicles, motion, profile)
        if profile.stops_at_crash and tick > 0:
            vehicles, motion = _hold(before, vehicles, n)
    return vehicles


def _hold(before: Vehicles, after: Vehicles, n: int) -> tuple[Vehicles, Motion]:
    """The vehicles as they were on roads where an agent had crashed."""
    over = before.agents_crashed(n).any(dim=0)
    old = before.tensors()
    held = Vehicles(**{name: torch.where(over, old[name], new) for name, new in after.tensors().items()})
    return held, Motion.of(held)
