"""The passage of time on the road: decisions of agents, then ticks of the physics."""

from __future__ import annotations

import functools
from dataclasses import replace

import torch
from torch import Tensor

from stmg_envs.merge.bicycle import SPEED_GAIN, move, steer
from stmg_envs.merge.collisions import collide
from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import BESIDE_MERGE, roads
from stmg_envs.merge.traffic import drive
from stmg_envs.merge.vehicles import HEADING, SPEED, Motion, Still, Vehicles, X

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
    left = lanes.opens(vehicles.lane[:n], lanes.section(vehicles.x[:n]), vehicles.y[:n])
    target = vehicles.target_speed[:n]
    always = torch.ones_like(left)
    faster, slower = target < TARGET_SPEEDS[-1], target > TARGET_SPEEDS[0]
    return torch.stack([left, always, ~always, faster, slower])


def decide(vehicles: Vehicles, section: Tensor, target: Tensor, actions: Tensor) -> Tensor:
    """Carry out what agents decide.

    Args:
        vehicles: the vehicles.
        section: where bodies are, int64 (V + 1, B).
        target: the lanes that vehicles follow, int64 (V, B); those of agents that change are overwritten.
        actions: of the agents, int64 (n, B).

    Returns:
        Target speeds of all vehicles, (V, B).
    """
    n = len(actions)
    follows = target[:n]
    open_beside = roads(actions.device).opens(follows, section[:n], vehicles.y[:n])
    change = open_beside & (actions == LEFT)
    follows.masked_fill_(change, BESIDE_MERGE)
    step = _steps(actions.device).take(actions)
    wanted = level_speed((speed_level(vehicles.speed[:n]) + step).clamp_(0, len(TARGET_SPEEDS) - 1))
    wanted = torch.where(step != 0, wanted, vehicles.target_speed[:n])
    return torch.cat([wanted, vehicles.target_speed[n:]])


@functools.cache
def _steps(device: torch.device) -> Tensor:
    """How far actions change the number of the target speed, float64 (A,)."""
    steps = [(action == FASTER) - (action == SLOWER) for action in range(len(ACTIONS))]
    return torch.tensor(steps, dtype=torch.float64, device=device)


def advance(vehicles: Vehicles, actions: Tensor, profile: Profile, ticks: int = TICKS) -> Vehicles:
    """Carry out one decision of the agents.

    Args:
        vehicles: the vehicles.
        actions: of the agents, int64 (n, B).
        profile: which simulator to follow.
        ticks: how long it takes, ticks.
    """
    n, lanes = len(actions), roads(actions.device)
    motion, still = Motion.of(vehicles), Still.like(vehicles)
    for tick in range(ticks):
        before = vehicles
        section = lanes.section(motion.pose[X])
        target = lanes.follow(vehicles.target, section[:-1])
        if tick == 0:
            vehicles = replace(vehicles, target_speed=decide(vehicles, section, target, actions))
        change = torch.zeros_like(motion.pose)
        slip, acceleration = change[HEADING, :-1], change[SPEED, :-1]
        torch.sub(vehicles.target_speed[:n], vehicles.speed[:n], out=acceleration[:n]).mul_(SPEED_GAIN)
        timer = drive(vehicles, motion, section, target, acceleration[n:], profile)
        vehicles = replace(vehicles, target=target, timer=timer)
        steer(vehicles, motion, target, slip)
        vehicles, motion = move(vehicles, motion, change, still)
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
