"""Human drivers: they keep their distance (IDM) and change lanes when it pays (MOBIL).

Sources: Treiber, Hennecke and Helbing 2000, "Congested traffic states in empirical observations and
microscopic simulations"; Kesting, Treiber and Helbing 2007, "General lane-changing model MOBIL for
car-following models"; the rules around them and the constants are those of highway-env's `IDMVehicle`.

Axes: H human drivers, V vehicles (agents first), B batch.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import BESIDE_MERGE, LANE_WIDTH, LANES, MERGE, SPEED_LIMIT, roads
from stmg_envs.merge.vehicles import SMALL, TICK, Motion, Vehicles, X
from stmg_envs.protocol import number
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

SIDE_BY_SIDE = {BESIDE_MERGE, MERGE}
"""The lanes between the same nodes."""


def drive(
    vehicles: Vehicles,
    motion: Motion,
    section: Tensor,
    target: Tensor,
    acceleration: Tensor,
    profile: Profile,
) -> Tensor:
    """What human drivers do in a tick.

    Each looks at three bodies: the one ahead in its lane, the one ahead in the lane to which it changes or
    else in the one beside the merge lane, and the one behind in the latter, the only one to which it may
    change. Who has crashed keeps the lane that it follows.

    Args:
        vehicles: the vehicles, with the targets from before this tick.
        motion: theirs.
        section: where bodies are, int64 (V + 1, B).
        target: the lanes to follow now, int64 (V, B); drivers write those that they choose.
        acceleration: where to write that of the human drivers, (H, B).
        profile: constants.

    Returns:
        Timers of all vehicles, (V, B), after the tick.
    """
    lanes = roads(target.device)
    drivers = len(acceleration)
    n = vehicles.count - drivers
    tables = _tables(n, drivers, target.device)
    crashed, lane, follows = vehicles.crashed[n:], vehicles.lane[n:], target[n:]
    torch.where(crashed, vehicles.target[n:], follows, out=follows)
    place = torch.add(follows, lane, alpha=len(LANES)).add_(crashed, alpha=len(LANES) ** 2)
    known = tables.known[:, place]
    looks, (keeps_lane, in_merge_lane, contested) = known[:3], known[3:].view(torch.bool)
    thinks = (vehicles.timer[n:] > THINKING_TIME) & keeps_lane

    # Where everybody is, the obstacle last: metres ahead of each driver, (H, V + 1, B).
    ahead = motion.pose[X] - vehicles.x[n:, None]
    # Bytes are faster than flags.
    there = lanes.covering(section, motion.aside) & looks[:, :, None]  # (3, H, V + 1, B)
    side = (ahead >= 0).view(torch.uint8) ^ tables.wrong_side
    there = torch.logical_and(there, side)
    far = number(math.inf, there.device)
    distance, body = torch.where(there, ahead.abs(), far).min(dim=2)  # (3, H, B)

    desired = _desired_distances(vehicles, motion)  # (V, V + 1, B)
    pairs = torch.addcmul(tables.driver, body, tables.partner)  # (3, H, B)
    desires = desired.flatten(0, 1).gather(0, pairs.flatten(0, 1)).view(distance.shape)
    # What they take off their acceleration; nothing if the body is infinitely far.
    braking = desires.div_(distance.clamp(min=SMALL)).square_().mul_(COMFORT_ACCELERATION)
    free = _free_acceleration(vehicles)
    stays, changes = free[n:] - braking[:2]
    # No obstacle stands in the lane beside the merge lane.
    imposed = free.gather(0, body[2]) - braking[2]

    # Who thinks is not changing, so that the other lane is the one beside the merge lane.
    starts = [
        thinks,
        in_merge_lane,
        vehicles.y[n:] <= 2 * LANE_WIDTH,
        changes - stays >= profile.lane_change_gain,
        vehicles.speed[n:].abs() >= MIN_SPEED,
        (imposed >= -profile.imposed_braking) | (distance[2] == math.inf),
    ]
    start = torch.stack(starts).view(torch.uint8).amin(dim=0).view(torch.bool)
    follows.masked_fill_(start, BESIDE_MERGE)

    situation = vehicles.lane, vehicles.target, target, contested, ahead[:, :-1], desired[n:, :-1]
    if not may_ask(contested.device):
        give_way(tables.later, *situation)
    elif len(road := contested.any(dim=0).nonzero().flatten()):
        few = [values.index_select(-1, road) for values in situation]
        give_way(tables.later, *few)
        target.index_copy_(-1, road, few[2])
    torch.where(follows == lane, stays, stays.minimum(changes), out=acceleration)
    acceleration.clamp_(-MAX_ACCELERATION, MAX_ACCELERATION)
    timer = vehicles.timer + TICK
    timer[n:].masked_fill_(thinks, TICK)
    return timer


@dataclass(frozen=True)
class _Tables:
    """Constants on a device; L lanes.

    Attributes:
        known: what follows from the lane that a driver follows, that in which it is, and whether it has
            crashed, uint8 (6, 2 * L * L): the lanes in which it looks for the three bodies, as bits; whether
            it keeps its lane, whether it keeps the merge lane, and whether the lane to which it changes is
            one that others change to as well.
        wrong_side: whether a body is not looked for where it is ahead, but where it is behind, as the third
            one is; of the driver itself, whether it is ahead, uint8 (3, H, V + 1, 1).
        driver, partner: of the V * (V + 1) pairs of follower and leader, that of a driver and the body which
            it looks for is `driver` and `partner` times the body, int64 (3, H, 1) and (3, 1, 1).
        later: which vehicles are drivers who think after the driver, or itself, bool (H, V, 1).
    """

    known: Tensor
    wrong_side: Tensor
    driver: Tensor
    partner: Tensor
    later: Tensor


@functools.cache
def _tables(n: int, drivers: int, device: torch.device) -> _Tables:
    body = torch.arange(n + drivers + 1, device=device)[:, None]
    driver = body[n:-1, None]
    behind = torch.tensor([False, False, True], device=device)[:, None, None, None]
    row = len(body)
    return _Tables(
        known=torch.tensor(_known(), dtype=torch.uint8, device=device).t().contiguous(),
        wrong_side=(behind | (body == driver)).byte(),
        driver=driver[:, 0] * torch.tensor([row, row, 1], device=device)[:, None, None],
        partner=torch.tensor([1, 1, row], device=device)[:, None, None],
        later=body[:-1] >= driver,
    )


def _known() -> list[list[int]]:
    """The columns of `_Tables.known`."""
    columns = []
    for crashed, lane, follows in itertools.product((False, True), range(len(LANES)), range(len(LANES))):
        keeps = lane == follows and not crashed
        changes = lane != follows and not crashed
        other = follows if changes else BESIDE_MERGE
        looks = [1 << lane, 1 << other, 1 << BESIDE_MERGE]
        contested = changes and {lane, other} == SIDE_BY_SIDE
        columns.append([*looks, keeps, keeps and lane == MERGE, contested])
    return columns


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
    later: Tensor,
    lane: Tensor,
    before: Tensor,
    target: Tensor,
    contested: Tensor,
    ahead: Tensor,
    desired: Tensor,
) -> None:
    """Drivers stop changing lanes if somebody close ahead is changing to the same lane; writes to `target`.

    Drivers think one after another: each sees what those before it have chosen now, and what those after it
    had chosen before. Who gives way stays in its lane, and so is in nobody's way.

    Args:
        later: who has not chosen yet when a driver does, bool (H, V, 1).
        lane: of vehicles, int64 (V, B).
        before: their targets before this tick.
        target: what all have chosen, int64 (V, B).
        contested: drivers who may have to give way, bool (H, B).
        ahead: metres from drivers to vehicles, (H, V, B).
        desired: what drivers want these to be, (H, V, B).
    """
    n = len(lane) - len(contested)
    wanted = target[n:, None]
    seen = torch.where(later, before, target)
    rivals = (ahead > 0) & (ahead < desired) & (lane != wanted) & (seen == wanted)
    rivals &= contested[:, None]
    yields = torch.zeros_like(lane, dtype=torch.bool)
    for row in range(len(contested)):
        torch.any(rivals[row] > yields, dim=0, out=yields[n + row])
    torch.where(yields[n:], lane[n:], target[n:], out=target[n:])
