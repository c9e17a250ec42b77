"""Who touches whom, and what becomes of them.

Few pairs of vehicles are ever near each other, so only those are looked at closely: K of them in a batch.
Rectangles that do not touch can be separated along a side of one of them (separating axis theorem).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import OBSTACLE
from stmg_envs.merge.vehicles import LENGTH, TICK, WIDTH, Motion, Vehicles

OBSTACLE_SIZE = 2.0
"""Length and width, metres."""

SHRUNK = 0.9
"""Share of their size at which the papers' fork tests rectangles."""


@dataclass(frozen=True)
class Rectangles:
    """K rectangles; all of shape (K,).

    Attributes:
        x, y: centre, metres.
        cos, sin: of the heading.
        half_length, half_width: metres.
        shift: displacement along the heading within a tick, metres.
    """

    x: Tensor
    y: Tensor
    cos: Tensor
    sin: Tensor
    half_length: Tensor
    half_width: Tensor
    shift: Tensor

    def radius(self, along_x: Tensor, along_y: Tensor) -> Tensor:
        """Half the extent along unit vectors of shape (..., K)."""
        length = (self.cos * along_x + self.sin * along_y).abs()
        width = (self.cos * along_y - self.sin * along_x).abs()
        return self.half_length * length + self.half_width * width


def overlaps(one: Rectangles, other: Rectangles) -> tuple[Tensor, Tensor, Tensor]:
    """Test pairs of rectangles.

    Returns:
        touch: whether they intersect now, bool (K,).
        will_touch: whether they do if the one is also stretched by how it moves relative to the other.
        push: the shortest displacement of the one that ends this, (2, K); of no meaning if they do not touch.
    """
    along_x = torch.stack([one.cos, -one.sin, other.cos, -other.sin])  # (4, K)
    along_y = torch.stack([one.sin, one.cos, other.sin, other.cos])
    apart = (one.x - other.x) * along_x + (one.y - other.y) * along_y
    reach, other_reach = one.radius(along_x, along_y), other.radius(along_x, along_y)
    relative_x = one.shift * one.cos - other.shift * other.cos
    relative_y = one.shift * one.sin - other.shift * other.sin
    stretch = relative_x * along_x + relative_y * along_y
    touch = (apart.abs() <= reach + other_reach).all(dim=0)

    # The one covers [low, high] on each axis, the other [-other_reach, other_reach].
    low, high = apart - reach + stretch.clamp(max=0), apart + reach + stretch.clamp(min=0)
    below, above = -other_reach - high, low - other_reach  # negative where they overlap
    will_touch = (torch.maximum(below, above) <= 0).all(dim=0)
    # An axis and its opposite ask for different displacements where one interval contains the other.
    depth = torch.where(low < -other_reach, below, above).abs()
    opposite = torch.where(high > other_reach, above, below).abs()
    least, axis = torch.minimum(depth, opposite).min(dim=0)
    axis_x, axis_y, side = (values.gather(0, axis[None])[0] for values in (along_x, along_y, apart))
    size = torch.where(side > 0, least, -least)
    return touch, will_touch, torch.stack([axis_x * size, axis_y * size])


@functools.cache
def _pairs(count: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs of `count` vehicles and, last, the obstacle, int64 (P,), and their reach, float64 (P, 1).

    The order is that in which highway-env goes through them.
    """
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count + 1)]
    first, second = (torch.tensor(column, device=device) for column in zip(*pairs, strict=True))
    diagonal, obstacle = math.hypot(LENGTH, WIDTH), math.hypot(OBSTACLE_SIZE, OBSTACLE_SIZE)
    reach = torch.where(second < count, diagonal, (diagonal + obstacle) / 2).double()
    return first, second, reach[:, None]


def collide(vehicles: Vehicles, motion: Motion, profile: Profile) -> Vehicles:
    """The vehicles after their collisions.

    Vehicles that touch have crashed. With swept collisions, those that touch or will touch within a tick are
    pushed apart with the next one; if a vehicle meets several, the last pair counts.
    """
    first, second, reach = _pairs(vehicles.count, vehicles.x.device)
    x, y = (
        torch.cat([places, places.new_full((1, places.shape[1]), place)])
        for places, place in zip((vehicles.x, vehicles.y), OBSTACLE, strict=True)
    )
    away_x, away_y = x[second] - x[first], y[second] - y[first]  # (P, B)
    near = away_x.square_().add_(away_y.square_()) <= (vehicles.speed[first] * TICK + reach).square_()
    pair, where = near.nonzero(as_tuple=True)
    if not len(pair):
        return vehicles
    batch = vehicles.x.shape[1]
    one, other = first[pair] * batch + where, second[pair] * batch + where  # into flattened (V, B)
    solid = second[pair] == vehicles.count  # the obstacle
    other = other.masked_fill(solid, 0)
    size = SHRUNK if profile.collisions == "static" else 1.0
    body = _rectangles(vehicles, motion, one, torch.zeros_like(solid), size)
    touch, will_touch, push = overlaps(body, _rectangles(vehicles, motion, other, solid, size))

    crashed = vehicles.crashed.flatten()
    crashed = crashed.index_put((one[touch],), touch.new_ones(()))
    crashed = crashed.index_put((other[touch & ~solid],), touch.new_ones(()))
    vehicles = replace(vehicles, crashed=crashed.view_as(vehicles.crashed))
    if profile.collisions == "static":
        return _share_speed(vehicles, one[touch], other[touch], solid[touch])
    pushed = will_touch & ~solid
    half = torch.where(solid, 1.0, 0.5)  # both exact in any float type
    bodies = torch.cat([one[will_touch], other[pushed]])
    pushes = torch.cat([(push * half)[:, will_touch], -(push * half)[:, pushed]], dim=1)
    return _push(vehicles, bodies, pushes, torch.cat([pair[will_touch], pair[pushed]]))


def _rectangles(vehicles: Vehicles, motion: Motion, index: Tensor, solid: Tensor, size: float) -> Rectangles:
    """The bodies of vehicles at places of flattened (V, B), or of the obstacle."""
    place_x, place_y, cos, sin, speed = (
        values.flatten()[index] for values in (vehicles.x, vehicles.y, motion.cos, motion.sin, vehicles.speed)
    )
    half = size * OBSTACLE_SIZE / 2
    return Rectangles(
        x=torch.where(solid, OBSTACLE[0], place_x),
        y=torch.where(solid, OBSTACLE[1], place_y),
        cos=torch.where(solid, 1.0, cos),
        sin=torch.where(solid, 0.0, sin),
        half_length=torch.full_like(speed, size * LENGTH / 2).masked_fill_(solid, half),
        half_width=torch.full_like(speed, size * WIDTH / 2).masked_fill_(solid, half),
        shift=torch.where(solid, 0.0, speed * TICK),
    )


def _push(vehicles: Vehicles, bodies: Tensor, pushes: Tensor, pair: Tensor) -> Vehicles:
    """Vehicles with pushes (2, M) for the bodies (M,); of several for one body that of the last pair."""
    last = torch.full_like(vehicles.lane.flatten(), -1).scatter_reduce(0, bodies, pair, "amax")
    counts = last[bodies] == pair
    bodies, pushes = bodies[counts], pushes[:, counts]
    return replace(
        vehicles,
        push_x=vehicles.push_x.flatten().index_put((bodies,), pushes[0]).view_as(vehicles.x),
        push_y=vehicles.push_y.flatten().index_put((bodies,), pushes[1]).view_as(vehicles.x),
        pushed=(last >= 0).view_as(vehicles.pushed),
    )


def _share_speed(vehicles: Vehicles, one: Tensor, other: Tensor, solid: Tensor) -> Vehicles:
    """Give vehicles that touch the smallest speed, in size, of those they touch."""
    speed = vehicles.speed.flatten()
    theirs = torch.where(solid, 0, speed[other])
    least = speed.abs()
    least = least.scatter_reduce(0, one, theirs.abs(), "amin")
    least = least.scatter_reduce(0, other[~solid], speed[one[~solid]].abs(), "amin")
    return replace(vehicles, speed=torch.copysign(least, speed).view_as(vehicles.speed))
