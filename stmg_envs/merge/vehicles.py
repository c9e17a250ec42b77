"""Vehicles: a bicycle model under a speed controller and a lane controller.

Everything has shape (V, B) here, vehicles first and the batch innermost, which is how arithmetic over pairs
of vehicles is fast. The rules and constants are those of highway-env's `Vehicle` and `ControlledVehicle`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from stmg_envs.merge.roads import BEND, bend_heading, roads, wrap

LENGTH, WIDTH = 5.0, 2.0
"""Metres."""

TICK = 1 / 15
"""Seconds of one step of the physics."""

MAX_SPEED = 40.0
"""Metres per second, forwards and backwards."""

SPEED_GAIN = 1 / 0.6
LATERAL_GAIN = 1 / 0.6
HEADING_GAIN = 1 / 0.2
LOOK_AHEAD = 0.1
"""Controllers: gains, 1/s, and how far ahead the lane controller reads the lane's direction, s."""

MAX_APPROACH = math.pi / 4
MAX_STEERING = math.pi / 3
"""Radians: between a vehicle that approaches its lane and that lane, and of the front wheels."""

MAX_SLIP = math.sin(math.atan(math.tan(MAX_STEERING) / 2))
"""Sine of the slip angle, that between a vehicle and its motion, when the wheels are fully turned."""

SMALL = 1e-2
"""What stands for a divisor that is smaller."""


@dataclass(frozen=True)
class Vehicles:
    """V vehicles on B roads, all of shape (V, B); agents come first, the human drivers after them.

    Vehicles that are not `present` stand crashed where nobody sees them, so that physics needs no masks.

    Attributes:
        x, y: centre, float64, metres.
        heading: float64, radians from the direction of the road.
        speed: float64, metres per second.
        target_speed: what the driver wants, float64, metres per second.
        timer: since the last thought about changing lanes, float64, seconds (human drivers).
        push_x, push_y: displacement by a collision that comes with the next tick, float64, metres.
        pushed: whether there is one, bool; who is pushed has crashed then.
        lane: the nearest lane, int64.
        target: the lane that the driver follows, int64.
        crashed: bool.
        present: bool.
    """

    x: Tensor
    y: Tensor
    heading: Tensor
    speed: Tensor
    target_speed: Tensor
    timer: Tensor
    push_x: Tensor
    push_y: Tensor
    pushed: Tensor
    lane: Tensor
    target: Tensor
    crashed: Tensor
    present: Tensor

    @property
    def count(self) -> int:
        """V."""
        return self.x.shape[0]

    def agents_crashed(self, n: int) -> Tensor:
        """Which of the first n vehicles are present and have crashed, bool (n, B)."""
        return self.crashed[:n] & self.present[:n]

    def is_same(self, other: Vehicles) -> bool:
        """Whether these are the very tensors of the other, not only equal ones."""
        pairs = zip(self.tensors().values(), other.tensors().values(), strict=True)
        return all(one.data_ptr() == another.data_ptr() for one, another in pairs)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Motion:
    """What follows from where vehicles are, (V, B) each, computed once for all who ask.

    Attributes:
        cos, sin: of the heading.
        velocity_x, velocity_y: metres per second.
        offsets: distance to the right of each lane, (L, V, B), metres.
    """

    cos: Tensor
    sin: Tensor
    velocity_x: Tensor
    velocity_y: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, vehicles: Vehicles) -> Motion:
        cos, sin = vehicles.heading.cos(), vehicles.heading.sin()
        offsets = roads(cos.device).offsets(vehicles.x, vehicles.y)
        return cls(cos, sin, vehicles.speed * cos, vehicles.speed * sin, offsets)


@functools.cache
def itself(n: int, count: int, device: torch.device) -> Tensor:
    """Which of the first n vehicles is which of all, bool (n, V, 1)."""
    return torch.eye(count, dtype=torch.bool, device=device)[:n, :, None]


def not_zero(values: Tensor) -> Tensor:
    """The values, but at least `SMALL` in size, so that one can divide by them."""
    # Adding 0 makes a negative zero positive.
    small = torch.full_like(values, SMALL).copysign_(values + 0.0)
    return torch.where(values.abs() > SMALL, values, small)


def steer(vehicles: Vehicles, motion: Motion, target: Tensor) -> Tensor:
    """The sine of the slip angle with which vehicles make for the middle of their target lanes, (V, B).

    The distance from the lane asks for a lateral speed, that for a direction relative to the lane, and that
    for a rate of turning; front wheels and slip follow from it.
    """
    offset = motion.offsets.gather(0, target[None])[0]
    ahead = bend_heading(vehicles.x + vehicles.speed * LOOK_AHEAD).masked_fill_(target != BEND, 0)
    divisor = not_zero(vehicles.speed)
    approach = (-LATERAL_GAIN * offset / divisor).clamp_(-1, 1).asin_().clamp_(-MAX_APPROACH, MAX_APPROACH)
    turn = HEADING_GAIN * wrap(ahead + approach - vehicles.heading)
    return (LENGTH / 2 / divisor * turn).clamp_(-MAX_SLIP, MAX_SLIP)


def move(vehicles: Vehicles, motion: Motion, slip: Tensor, acceleration: Tensor) -> tuple[Vehicles, Motion]:
    """Move vehicles through one tick.

    Crashed vehicles roll straight on and slow down.

    Args:
        vehicles: the vehicles.
        motion: theirs.
        slip: sine of the slip angle, (V, B).
        acceleration: (V, B), m/s2.

    Returns:
        The vehicles a tick later, with their nearest lanes, and their motion.
    """
    speed = vehicles.speed
    slip = slip.masked_fill(vehicles.crashed, 0)
    acceleration = torch.where(vehicles.crashed, -speed, acceleration)
    acceleration = torch.where(speed > MAX_SPEED, acceleration.minimum(MAX_SPEED - speed), acceleration)
    acceleration = torch.where(speed < -MAX_SPEED, acceleration.maximum(-MAX_SPEED - speed), acceleration)
    along = (1 - slip * slip).sqrt_()
    x = vehicles.x + speed * (motion.cos * along - motion.sin * slip) * TICK + vehicles.push_x
    y = vehicles.y + speed * (motion.sin * along + motion.cos * slip) * TICK + vehicles.push_y
    heading = vehicles.heading + speed * slip / (LENGTH / 2) * TICK
    zero = torch.zeros_like(x)
    moved = replace(
        vehicles,
        x=x,
        y=y,
        heading=heading,
        speed=speed + acceleration * TICK,
        timer=vehicles.timer + TICK,
        push_x=zero,
        push_y=zero,
        pushed=torch.zeros_like(vehicles.pushed),
        crashed=vehicles.crashed | vehicles.pushed,
    )
    seen = Motion.of(moved)
    return replace(moved, lane=roads(x.device).closest(x, heading, seen.offsets)), seen
