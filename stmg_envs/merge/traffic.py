"""Human drivers: they keep their distance (IDM) and change lanes when it pays (MOBIL).

Sources: Treiber, Hennecke and Helbing 2000, "Congested traffic states in empirical observations and
microscopic simulations"; Kesting, Treiber and Helbing 2007, "General lane-changing model MOBIL for
car-following models"; the rules around them and the constants are those of highway-env's `IDMVehicle`.

Axes: H human drivers, V vehicles (agents first), B batch.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import BESIDE_MERGE, LANE_WIDTH, MERGE, SPEED_LIMIT, roads
from stmg_envs.merge.vehicles import SMALL, TICK, Motion, Vehicles, X
from stmg_envs.protocol.capture import may_ask

MAX_ACCELERATION = 6.0
COMFORT_ACCELERATION, COMFORT_BRAKING = 3.0, 5.0
"""Metres per second squared."""

STANDING_DISTANCE = 10.0
TIME_GAP = 1.5
"""From centre to centre when standing, metres, and what is added to it per metre per second, s."""

THINKING_TIME = 1.0
"""Between two thoughts about changing lanes, seconds."""

MIN_SPEED = 1.0
"""Slower vehicles do not change lanes, m/s."""

SIDE_BY_SIDE = 1 << BESIDE_MERGE | 1 << MERGE
"""The lanes between the same nodes, as bits."""


def drive(
    vehicles: Vehicles, motion: Motion, target: Tensor, acceleration: Tensor, profile: Profile
) -> Tensor:
    """What human drivers do in a tick.

    Each looks at three bodies: the one ahead in its lane, and those ahead and behind in the other lane, which
    is the one it changes to or else the one beside the merge lane, the only one it may change to.

    Args:
        vehicles: the vehicles, with the targets from before this tick.
        motion: theirs.
        target: the lanes to follow now, int64 (V, B); drivers write those that they choose.
        acceleration: where to write that of the human drivers, (H, B).
        profile: constants.

    Returns:
        Timers of all vehicles, (V, B), after the tick.
    """
    lanes = roads(target.device)
    drivers = len(acceleration)
    n = vehicles.count - drivers
    masks = _masks(n, drivers, target.device)
    crashed, lane, follows = vehicles.crashed[n:], vehicles.lane[n:], target[n:]
    away = lane != follows
    changing = away > crashed  # and not
    thinks = ((vehicles.timer[n:] > THINKING_TIME) > crashed) > away
    other = torch.where(changing, follows, BESIDE_MERGE)
    bits = lanes.bits.take(torch.stack([lane, other, other], dim=1))  # (H, 3, B)

    # Where everybody is, the obstacle last: metres ahead of each driver, (H, V + 1, B).
    ahead = motion.pose[X] - vehicles.x[n:, None]
    covering = lanes.covering(motion.pose[X], motion.aside)
    # Bytes are faster than flags. The driver stands on no lane of its own.
    there = (covering * masks.others) & bits[:, :, None]  # (H, 3, V + 1, B)
    there *= (ahead >= 0).view(torch.uint8)[:, None] ^ masks.behind
    nearest = torch.where(there.bool(), ahead.abs()[:, None], math.inf).min(dim=2)
    distance, body = nearest.values, nearest.indices  # (H, 3, B)

    desired = _desired_distances(vehicles, motion)  # (V, V + 1, B)
    # The obstacle follows nobody; where it comes out here, nobody asks.
    leaders, follower = body[:, :2], body[:, 2].clamp(max=vehicles.count - 1)
    desires = torch.cat(
        [desired[n:].gather(1, leaders), desired[:, n:-1].gather(0, follower[None]).transpose(0, 1)], dim=1
    )
    # What they take off their acceleration; nothing if the body is infinitely far.
    braking = desires.div_(distance.clamp(min=SMALL)).square_().mul_(COMFORT_ACCELERATION)
    free = _free_acceleration(vehicles)
    stays, changes = (free[n:, None] - braking[:, :2]).unbind(1)
    imposed = free.gather(0, follower) - braking[:, 2]

    # Who thinks is not changing, so that the other lane is the one beside the merge lane.
    starts = thinks & (lane == MERGE) & (vehicles.y[n:] <= 2 * LANE_WIDTH)
    starts &= changes - stays >= profile.lane_change_gain
    starts &= vehicles.speed[n:].abs() >= MIN_SPEED
    starts &= (imposed >= -profile.imposed_braking) | (distance[:, 2] == math.inf)
    follows.masked_fill_(starts, BESIDE_MERGE)

    contested = changing & ((bits[:, 0] | bits[:, 1]) == SIDE_BY_SIDE)
    if not may_ask(contested.device) or bool(contested.any()):
        give_way(vehicles, target, contested, ahead[:, :-1], desired[n:, :-1], masks.later)
    torch.where(follows == lane, stays, stays.minimum(changes), out=acceleration)
    acceleration.clamp_(-MAX_ACCELERATION, MAX_ACCELERATION)
    timer = vehicles.timer + TICK
    timer[n:].masked_fill_(thinks, TICK)
    return timer


@dataclass(frozen=True)
class _Masks:
    """Tables on a device.

    Attributes:
        behind: whether a driver looks behind for the first, second and third body, uint8 (3, 1, 1).
        others: which bodies are not the driver, uint8 (H, 1, V + 1, 1).
        later: which vehicles are drivers who think after the driver, or itself, bool (H, V, 1).
    """

    behind: Tensor
    others: Tensor
    later: Tensor


@functools.cache
def _masks(n: int, drivers: int, device: torch.device) -> _Masks:
    body = torch.arange(n + drivers + 1, device=device)[:, None]
    driver = body[n:-1, None]
    return _Masks(
        behind=torch.tensor([0, 0, 1], dtype=torch.uint8, device=device)[:, None, None],
        others=(body != driver)[:, None].byte(),
        later=body[:-1] >= driver,
    )


def _free_acceleration(vehicles: Vehicles) -> Tensor:
    """Accelerations of drivers who have the road to themselves, (V, B)."""
    wanted = vehicles.target_speed.clamp(SMALL, SPEED_LIMIT)
    share = vehicles.speed.clamp(min=0).div_(wanted).square_().square_()
    return (1 - share).mul_(COMFORT_ACCELERATION)


def _desired_distances(vehicles: Vehicles, motion: Motion) -> Tensor:
    """The distances that vehicles want to keep to each body that is ahead, (V, V + 1, B), metres."""
    speed = vehicles.speed[:, None]
    along_x, along_y = motion.velocity[:, None] * motion.axes[1:, :-1, None]
    closing = speed - along_x.add_(along_y)
    closing.mul_(speed).div_(2 * math.sqrt(COMFORT_ACCELERATION * COMFORT_BRAKING))
    return closing.add_(speed * TIME_GAP + STANDING_DISTANCE)


def give_way(
    vehicles: Vehicles, target: Tensor, contested: Tensor, ahead: Tensor, desired: Tensor, later: Tensor
) -> None:
    """Drivers stop changing lanes if somebody close ahead is changing to the same lane; writes to `target`.

    Drivers think one after another: each sees what those before it have chosen now, and what those after it
    had chosen before. Who gives way stays in its lane, and so is in nobody's way.

    Args:
        vehicles: the vehicles, with the targets from before this tick.
        target: what all have chosen, int64 (V, B).
        contested: drivers who may have to give way, bool (H, B).
        ahead: metres from drivers to vehicles, (H, V, B).
        desired: what drivers want these to be, (H, V, B).
        later: who has not chosen yet when a driver does, bool (H, V, 1).
    """
    n = vehicles.count - len(contested)
    wanted = target[n:, None]
    seen = torch.where(later, vehicles.target, target)
    rivals = (ahead > 0) & (ahead < desired) & (vehicles.lane != wanted) & (seen == wanted)
    rivals &= contested[:, None]
    yields = torch.zeros_like(vehicles.crashed)
    for row in range(len(contested)):
        torch.any(rivals[row] > yields, dim=0, out=yields[n + row])
    torch.where(yields[n:], vehicles.lane[n:], target[n:], out=target[n:])
