"""Vehicles: where they are, and what follows from it.

Everything has shape (V, B) here, vehicles first and the batch innermost, which is how arithmetic over pairs
of vehicles is fast.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from stmg_envs.merge.roads import OBSTACLE, bend_heading, bend_phase, roads

LENGTH, WIDTH = 5.0, 2.0
"""Metres."""

TICK = 1 / 15
"""Seconds of one step of the physics."""

LOOK_AHEAD = 0.1
"""How far ahead the lane controller reads the lane's direction, s."""

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
class Still:
    """What stands in the fields of `Vehicles` for that none is being pushed, made once for many ticks.

    Attributes:
        push: 0, float64 (V, B).
        pushed: False, bool (V, B).
    """

    push: Tensor
    pushed: Tensor

    @classmethod
    def like(cls, vehicles: Vehicles) -> Still:
        return cls(torch.zeros_like(vehicles.push_x), torch.zeros_like(vehicles.pushed))


X, Y, HEADING, SPEED = range(4)
"""Rows of a pose."""


@dataclass(frozen=True)
class Motion:
    """Where bodies are and what follows from it, computed once for all who ask.

    Bodies are the vehicles and, last, the obstacle: (V + 1, B).

    Attributes:
        pose: x, y, heading and speed, (4, V + 1, B).
        axes: of their rectangles, (3, V + 1, B): minus the sine, the cosine and the sine of the heading. The
            last two rows are the direction in which a body points, the first two the one to its right.
        velocity: along x and y, (2, V + 1, B), metres per second.
        offsets: distance to the right of each lane, (L, V + 1, B), metres.
        aside: the same without sign.
        bend: direction of the bend where vehicles are, and where they will be after `LOOK_AHEAD`, (2, V, B),
            radians.
    """

    pose: Tensor
    axes: Tensor
    velocity: Tensor
    offsets: Tensor
    aside: Tensor
    bend: Tensor

    @classmethod
    def of(cls, vehicles: Vehicles) -> Motion:
        pose = torch.stack([vehicles.x, vehicles.y, vehicles.heading, vehicles.speed])
        obstacle = _constants(pose.device).obstacle.expand(-1, -1, pose.shape[-1])
        return cls.at(torch.cat([pose, obstacle], dim=1))

    @classmethod
    def at(cls, pose: Tensor) -> Motion:
        """The motion of bodies with this pose."""
        x, y, heading, speed = pose
        axes = pose.new_empty(3, *x.shape)
        torch.sin(heading, out=axes[2])
        torch.cos(heading, out=axes[1])
        torch.neg(axes[2], out=axes[0])
        phase = bend_phase(x + speed * _constants(pose.device).ahead)
        offsets = roads(pose.device).offsets(y, phase[0])
        return cls(pose, axes, axes[1:] * speed, offsets, offsets.abs(), bend_heading(phase[:, :-1]))

    def closest(self) -> Tensor:
        """The nearest lanes of the vehicles, int64 (V, B)."""
        x, _, heading, _ = self.pose[:, :-1]
        return roads(x.device).closest(x, heading, self.aside[:, :-1], self.bend[0])


@dataclass(frozen=True)
class _Constants:
    """Tables on a device, float64.

    Attributes:
        obstacle: its pose, (4, 1, 1).
        ahead: how far ahead the direction of the bend is read, now and by the lane controller, s, (2, 1, 1).
    """

    obstacle: Tensor
    ahead: Tensor


@functools.cache
def _constants(device: torch.device) -> _Constants:
    rows = [*OBSTACLE, 0.0, 0.0], [0.0, LOOK_AHEAD]
    return _Constants(*(torch.tensor(row, dtype=torch.float64, device=device)[:, None, None] for row in rows))


@functools.cache
def itself(n: int, count: int, device: torch.device) -> Tensor:
    """Which of the first n vehicles is which of all, bool (n, V, 1)."""
    return torch.eye(count, dtype=torch.bool, device=device)[:n, :, None]
