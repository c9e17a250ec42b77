"""How vehicles move: a bicycle model under a speed controller and a lane controller.

The rules and constants are those of highway-env's `Vehicle` and `ControlledVehicle`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import torch
from torch import Tensor

from stmg_envs.merge.roads import roads, wrap_
from stmg_envs.merge.vehicles import HEADING, LENGTH, SMALL, SPEED, TICK, Motion, Still, Vehicles

MAX_SPEED = 40.0
"""Metres per second, forwards and backwards."""

SPEED_GAIN = 1 / 0.6
LATERAL_GAIN = 1 / 0.6
HEADING_GAIN = 1 / 0.2
"""Of the controllers, 1/s."""

MAX_APPROACH = math.pi / 4
MAX_STEERING = math.pi / 3
"""Radians: between a vehicle that approaches its lane and that lane, and of the front wheels."""

MAX_SLIP = math.sin(math.atan(math.tan(MAX_STEERING) / 2))
"""Sine of the slip angle, that between a vehicle and its motion, when the wheels are fully turned."""


def not_zero(values: Tensor) -> Tensor:
    """The values, but at least `SMALL` in size, so that one can divide by them."""
    # Adding 0 makes a negative zero positive.
    return values.abs().clamp_(min=SMALL).copysign_(values + 0.0)


def steer(vehicles: Vehicles, motion: Motion, target: Tensor, slip: Tensor) -> None:
    """Turn the wheels of vehicles so that they make for the middle of their target lanes.

    The distance from the lane asks for a lateral speed, that for a direction relative to the lane, and that
    for a rate of turning; front wheels and slip follow from it.

    Args:
        vehicles: the vehicles.
        motion: theirs.
        target: their target lanes, int64 (V, B).
        slip: where to write the sine of the slip angle, (V, B).
    """
    offset = motion.offsets.gather(0, target[None])[0]
    ahead = motion.bend[1] * roads(target.device).bends.take(target)
    divisor = not_zero(vehicles.speed)
    approach = (
        offset.mul_(-LATERAL_GAIN).div_(divisor).clamp_(-1, 1).asin_().clamp_(-MAX_APPROACH, MAX_APPROACH)
    )
    turn = wrap_(ahead.add_(approach).sub_(vehicles.heading)).mul_(HEADING_GAIN)
    torch.mul(divisor.reciprocal_().mul_(LENGTH / 2), turn, out=slip)
    slip.clamp_(-MAX_SLIP, MAX_SLIP)


@functools.cache
def _limits(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Signs of the lowest and the highest speed, these, and no limits, float64 (2, 1, 1)."""
    signs = torch.tensor([-1.0, 1.0], dtype=torch.float64, device=device)[:, None, None]
    return signs, MAX_SPEED * signs, math.inf * signs


def limit(speed: Tensor, acceleration: Tensor) -> None:
    """Keep vehicles that are faster than `MAX_SPEED` from getting faster, in place."""
    signs, limits, unbounded = _limits(speed.device)
    bounds = limits - speed
    low, high = torch.where(bounds * signs >= 0, unbounded, bounds)
    acceleration.clamp_(low, high)


@functools.cache
def _rolling(device: torch.device) -> Tensor:
    """Slip and acceleration of crashed vehicles, as multiples of their speed, float64 (2, 1, 1)."""
    return torch.tensor([0.0, -1.0], dtype=torch.float64, device=device)[:, None, None]


def move(vehicles: Vehicles, motion: Motion, change: Tensor, still: Still) -> tuple[Vehicles, Motion]:
    """Move vehicles through one tick. Crashed vehicles roll straight on and brake.

    Args:
        vehicles: the vehicles.
        motion: theirs.
        change: (4, V + 1, B); the last two rows are the sine of the slip angle and the acceleration, m/s2, of
            all bodies. It is overwritten.
        still: that no vehicle is being pushed.

    Returns:
        The vehicles a tick later, with their nearest lanes, and their motion.
    """
    slip, controls = change[HEADING], change[HEADING:, :-1]
    torch.where(vehicles.crashed, vehicles.speed * _rolling(slip.device), controls, out=controls)
    limit(vehicles.speed, controls[1])
    along = (1 - slip * slip).sqrt_()
    torch.mul(motion.axes[1:], along, out=change[:HEADING])
    change[:HEADING].add_(motion.axes[:2] * slip)
    change[:SPEED].mul_(motion.pose[SPEED])
    slip.div_(LENGTH / 2)
    change *= TICK
    change += motion.pose
    x, y, heading, speed = change[:, :-1]
    x += vehicles.push_x
    y += vehicles.push_y
    seen = Motion.at(change)
    moved = replace(
        vehicles,
        x=x,
        y=y,
        heading=heading,
        speed=speed,
        push_x=still.push,
        push_y=still.push,
        pushed=still.pushed,
        lane=seen.closest(),
        crashed=vehicles.crashed | vehicles.pushed,
    )
    return moved, seen
