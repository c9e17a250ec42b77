"""Who touches whom, and what becomes of them.

On a CPU only pairs of bodies that are near each other are looked at closely, which are few. An accelerator
looks at all of them, as it would have to wait to know which they are.

Axes: P pairs of V vehicles and, last, the obstacle; B batch, one road each; S the pairs that are looked at,
some number of them or (P, B).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.rectangles import overlaps
from stmg_envs.merge.vehicles import HEADING, LENGTH, SPEED, TICK, WIDTH, Motion, Vehicles
from stmg_envs.protocol.capture import may_ask

OBSTACLE_SIZE = 2.0
"""Length and width, metres."""

SHRUNK = 0.9
"""Share of their size at which the papers' fork tests rectangles."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of V vehicles and the obstacle, in the order in which highway-env goes through them.

    Attributes:
        bodies: the first ones and the second ones, int64 (2, P, 1).
        reach: how near they must be to be looked at, beside the first one's way in a tick, float64 (P, 1).
        sides: the directions along and across the first and the second one, as rows of the flattened axes of
            a `Motion`, for x and y, int64 (2, 4, P, 1).
        half: half of their lengths and widths, in that order, float64 (4, P, 1).
        shares: what the two get of the push that ends a contact, float64 (2, P, 1).
        of: the V pairs with each vehicle, in order, int64 (V * V,).
        partners: the other bodies in them, int64 (V * V,).
        rows: those pairs in a table of shares, int64 (V, V, 1).
        order: 1, ..., V, int64 (V, 1).
    """

    bodies: Tensor
    reach: Tensor
    sides: Tensor
    half: Tensor
    shares: Tensor
    of: Tensor
    partners: Tensor
    rows: Tensor
    order: Tensor


@functools.cache
def _pairs(count: int, size: float, device: torch.device) -> Pairs:
    """The pairs of `count` vehicles, tested at some share of their size."""
    table = [(i, j) for i in range(count) for j in range(i + 1, count + 1)]
    first, second = torch.tensor(table, device=device).unbind(1)
    vehicle, solid = torch.arange(count, device=device), second == count
    of = torch.tensor([[p for p, pair in enumerate(table) if v in pair] for v in range(count)], device=device)
    is_second = second[of] == vehicle[:, None]
    diagonal, obstacle = math.hypot(LENGTH, WIDTH), math.hypot(OBSTACLE_SIZE, OBSTACLE_SIZE)
    bodies, half = count + 1, size * OBSTACLE_SIZE / 2
    across = torch.stack([first + bodies, first, second + bodies, second])
    whole = torch.ones(len(table), dtype=torch.float64, device=device)
    sizes = [whole * (size * LENGTH / 2), whole * (size * WIDTH / 2)]
    return Pairs(
        bodies=torch.stack([first, second])[..., None],
        reach=torch.where(solid, (diagonal + obstacle) / 2, diagonal).double()[:, None],
        sides=torch.stack([across, across + bodies])[..., None],
        half=torch.stack([*sizes, *(values.masked_fill(solid, half) for values in sizes)])[..., None],
        shares=torch.stack([whole.masked_fill(~solid, 0.5), whole * -0.5])[..., None],
        of=of.flatten(),
        partners=torch.where(is_second, first[of], second[of]).flatten(),
        rows=(of + is_second * len(table))[..., None],
        order=1 + vehicle[:, None],
    )


def collide(vehicles: Vehicles, motion: Motion, profile: Profile) -> Vehicles:
    """The vehicles after their collisions; the speeds of the motion become theirs.

    Vehicles that touch have crashed. With swept collisions, those that touch or will touch within a tick are
    pushed apart with the next one; if a vehicle meets several, the last pair counts. With static ones they
    get the smallest speed, in size, of those they touch.
    """
    pairs = _pairs(vehicles.count, SHRUNK if profile.collisions == "static" else 1.0, vehicles.x.device)
    first, second = motion.pose.index_select(1, pairs.bodies.flatten()).chunk(2, dim=1)
    apart = first[:HEADING] - second[:HEADING]  # (2, P, B)
    away_x, away_y = apart.square()
    reach = (first[SPEED] * TICK).add_(pairs.reach)
    near = away_x.add_(away_y) <= reach.square_()
    collide_where = collide_near if may_ask(near.device) else collide_all
    changes = collide_where(vehicles, motion, profile, pairs, apart, near)
    if "speed" in changes:
        motion.pose[SPEED, :-1] = changes["speed"]
    return replace(vehicles, **changes)


def collide_all(
    vehicles: Vehicles, motion: Motion, profile: Profile, pairs: Pairs, apart: Tensor, near: Tensor
) -> dict[str, Tensor]:
    """What collisions change of vehicles, by name, (V, B).

    Args:
        vehicles: the vehicles.
        motion: theirs.
        profile: how they collide.
        pairs: the pairs.
        apart: from the second to the first body of each, (2, P, B), metres.
        near: which pairs are near each other, bool (P, B).
    """
    road = _roads(near.shape[1], near.device)
    contacts, push = _test(motion, pairs.bodies, pairs.sides, pairs.half, road, apart)
    return _changes(motion.pose, vehicles.crashed, profile, pairs, contacts & near, push)


def collide_near(
    vehicles: Vehicles, motion: Motion, profile: Profile, pairs: Pairs, apart: Tensor, near: Tensor
) -> dict[str, Tensor]:
    """The same, which looks only at what is near; nothing where nobody meets."""
    pair, road = near.nonzero(as_tuple=True)
    if not len(pair):
        return {}
    bodies, sides, half = (table[..., pair, 0] for table in (pairs.bodies, pairs.sides, pairs.half))
    contacts, push = _test(motion, bodies, sides, half, road, apart[:, pair, road])
    meets = contacts.any(dim=0).nonzero().flatten()
    if not len(meets):
        return {}
    pair, (roads, column) = pair[meets], road[meets].unique(return_inverse=True)
    shape = 2, len(near), len(roads)
    all_contacts, all_push = contacts.new_zeros(shape), push.new_zeros(shape)
    all_contacts[:, pair, column], all_push[:, pair, column] = contacts[:, meets], push[:, meets]
    pose, crashed = motion.pose.index_select(-1, roads), vehicles.crashed.index_select(-1, roads)
    changes = _changes(pose, crashed, profile, pairs, all_contacts, all_push)
    now = vehicles.tensors()
    return {name: now[name].index_copy(1, roads, values) for name, values in changes.items()}


@functools.cache
def _roads(batch: int, device: torch.device) -> Tensor:
    return torch.arange(batch, device=device)


def _test(
    motion: Motion, bodies: Tensor, sides: Tensor, half: Tensor, road: Tensor, apart: Tensor
) -> tuple[Tensor, Tensor]:
    """Test pairs of bodies as `overlaps` does; bodies, sides and halves are those of `Pairs`."""
    way = motion.axes[1:] * (motion.pose[SPEED] * TICK)
    first, second = way[:, bodies, road].unbind(1)
    directions = motion.axes.flatten(0, 1)[sides, road]
    return overlaps(directions, half, torch.stack([apart, first - second]))


def _changes(
    pose: Tensor, crashed: Tensor, profile: Profile, pairs: Pairs, contacts: Tensor, push: Tensor
) -> dict[str, Tensor]:
    """What contacts change of vehicles, by name, (V, B).

    Args:
        pose: of bodies, (4, V + 1, B).
        crashed: whether vehicles have crashed before, bool (V, B).
        profile: how they collide.
        pairs: the pairs.
        contacts: which pairs touch, and which touch or will touch, bool (2, P, B).
        push: what separates the first body from the second, (2, P, B), metres.
    """
    count, batch = crashed.shape
    touch, will_touch = contacts.index_select(1, pairs.of).view(2, count, count, batch)
    crashed = crashed | touch.any(dim=1)
    if profile.collisions == "static":
        speed = pose[SPEED].abs()
        theirs = speed.index_select(0, pairs.partners).view(count, count, batch)
        least = torch.where(touch, theirs, math.inf).amin(dim=1).minimum(speed[:-1])
        return {"crashed": crashed, "speed": least.copysign_(pose[SPEED, :-1])}
    last, index = (will_touch * pairs.order).max(dim=1)
    row = pairs.rows.expand(-1, -1, batch).gather(1, index[:, None])[:, 0]  # (V, B)
    pushes = (push[:, None] * pairs.shares).flatten(1, 2).gather(1, row.expand(2, -1, -1))
    pushed = last > 0
    push_x, push_y = torch.where(pushed, pushes, 0.0)
    return {"crashed": crashed, "push_x": push_x, "push_y": push_y, "pushed": pushed}
