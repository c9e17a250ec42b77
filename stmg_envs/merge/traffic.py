"""Human drivers: they keep their distance (IDM) and change lanes when it pays (MOBIL).

Sources: Treiber, Hennecke and Helbing 2000, "Congested traffic states in empirical observations and
microscopic simulations"; Kesting, Treiber and Helbing 2007, "General lane-changing model MOBIL for
car-following models"; the rules around them and the constants are those of highway-env's `IDMVehicle`.

Axes: H human drivers, V vehicles (agents first), B batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.roads import MERGE, OBSTACLE, SPEED_LIMIT, roads
from stmg_envs.merge.vehicles import SMALL, Motion, Vehicles

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


def drive(
    vehicles: Vehicles, motion: Motion, target: Tensor, n: int, profile: Profile
) -> tuple[Tensor, Tensor, Tensor]:
    """What human drivers do in a tick.

    Args:
        vehicles: the vehicles, with the targets from before this tick.
        motion: theirs.
        target: the lanes to follow now, unless a driver chooses another one, int64 (V, B).
        n: the number of agents.
        profile: constants.

    Returns:
        Target lanes of all vehicles (V, B), and timers and accelerations of the human drivers (H, B).
    """
    lanes = roads(target.device)
    lane, own_target = vehicles.lane[n:], target[n:]
    x, speed = vehicles.x[n:], vehicles.speed[n:]
    awake = ~vehicles.crashed[n:]
    changing = awake & (lane != own_target)
    thinks = awake & ~changing & (vehicles.timer[n:] > THINKING_TIME)
    side = lanes.side_lane[lane]
    other = torch.where(changing, own_target, side)

    # Where everybody is, the obstacle last: metres ahead of each driver, (H, V + 1, B).
    ahead = torch.cat([vehicles.x, vehicles.x.new_full((1, x.shape[1]), OBSTACLE[0])])[None] - x[:, None]
    itself = torch.eye(vehicles.count + 1, dtype=torch.bool, device=x.device)[n:-1, :, None]
    covering = lanes.covering(vehicles.x, motion.offsets)
    covering = torch.cat([covering, torch.full_like(covering[:1], 1 << MERGE)])
    on_own = _covers(covering, lane).logical_and_(~itself)
    on_other = _covers(covering, other.clamp(min=0)).logical_and_(~itself)
    front = ahead >= 0
    leader = torch.where(on_own & front, ahead, math.inf).min(dim=1)
    other_leader = torch.where(on_other & front, ahead, math.inf).min(dim=1)
    follower = torch.where(on_other & ~front, ahead, -math.inf).max(dim=1)

    free = _free_acceleration(vehicles)
    stays = free[n:] - _interaction(vehicles, motion, n, *leader)
    changes = free[n:] - _interaction(vehicles, motion, n, *other_leader)
    gains = changes - stays >= profile.lane_change_gain
    near = lanes.reachable(side.clamp(min=0), x, vehicles.y[n:]) & (side >= 0)
    starts = thinks & near & gains & (speed.abs() >= MIN_SPEED)
    starts &= ~_imposes(vehicles, motion, n, free, *follower, profile.imposed_braking)

    chosen = target.clone()
    torch.where(starts, side, own_target, out=chosen[n:])
    contested = changing & (lanes.segment[lane] == lanes.segment[own_target])
    if bool(contested.any()):
        _give_way(vehicles, motion, chosen, contested, ahead[:, :-1], itself[:, :-1], n)
    acceleration = torch.where(chosen[n:] == lane, stays, stays.minimum(changes))
    timer = vehicles.timer[n:].masked_fill(thinks, 0)
    return chosen, timer, acceleration.clamp_(-MAX_ACCELERATION, MAX_ACCELERATION)


def _covers(covering: Tensor, lane: Tensor) -> Tensor:
    """Which bodies (V + 1, B) stand on the lanes (H, B) that are asked for, bool (H, V + 1, B)."""
    return ((covering[None] >> lane[:, None]) & 1).bool()


def _free_acceleration(vehicles: Vehicles) -> Tensor:
    """Accelerations of drivers who have the road to themselves, (V, B)."""
    wanted = vehicles.target_speed.clamp(0, SPEED_LIMIT).clamp_(min=SMALL)
    share = (vehicles.speed.clamp(min=0) / wanted).square_().square_()
    return COMFORT_ACCELERATION * (1 - share)


def _desired_distance(speed: Tensor, closing: Tensor) -> Tensor:
    """The distance that drivers want to keep, metres, at a speed and a closing speed."""
    braking = 2 * math.sqrt(COMFORT_ACCELERATION * COMFORT_BRAKING)
    return STANDING_DISTANCE + speed * TIME_GAP + speed * closing / braking


def _brakes(speed: Tensor, closing: Tensor, distance: Tensor) -> Tensor:
    """What drivers take off their acceleration for a vehicle ahead; 0 if it is infinitely far."""
    desired = _desired_distance(speed, closing)
    return COMFORT_ACCELERATION * (desired / distance.clamp(min=SMALL)).square_()


def _interaction(vehicles: Vehicles, motion: Motion, n: int, distance: Tensor, leader: Tensor) -> Tensor:
    """Braking of human drivers for their leaders, (H, B): `distance` metres ahead, infinite without any."""
    speed = vehicles.speed[n:]
    velocity_x, velocity_y = (
        torch.cat([velocity, torch.zeros_like(velocity[:1])]).gather(0, leader)
        for velocity in (motion.velocity_x, motion.velocity_y)
    )
    closing = speed - (velocity_x * motion.cos[n:] + velocity_y * motion.sin[n:])
    return _brakes(speed, closing, distance)


def _imposes(
    vehicles: Vehicles,
    motion: Motion,
    n: int,
    free: Tensor,
    behind: Tensor,
    follower: Tensor,
    limit: float,
) -> Tensor:
    """Whether changing lanes would make the vehicle there, `behind` < 0 metres ahead, brake too hard."""
    exists = (behind > -math.inf) & (follower < vehicles.count)
    follower = follower.clamp(max=vehicles.count - 1)
    speed, cos, sin = (values.gather(0, follower) for values in (vehicles.speed, motion.cos, motion.sin))
    closing = speed - (motion.velocity_x[n:] * cos + motion.velocity_y[n:] * sin)
    acceleration = free.gather(0, follower) - _brakes(speed, closing, -behind)
    return exists & (acceleration < -limit)


def _give_way(
    vehicles: Vehicles,
    motion: Motion,
    chosen: Tensor,
    contested: Tensor,
    ahead: Tensor,
    itself: Tensor,
    n: int,
) -> None:
    """Drivers stop changing lanes if somebody close ahead is changing to the same lane; writes to `chosen`.

    Drivers think one after another: each sees what those before it have chosen now, and what those after it
    had chosen before.
    """
    speed, lane = vehicles.speed[n:, None], vehicles.lane[n:]
    closing = speed - (motion.velocity_x * motion.cos[n:, None] + motion.velocity_y * motion.sin[n:, None])
    close = (ahead > 0) & (ahead < _desired_distance(speed, closing)) & ~itself
    close &= vehicles.lane != chosen[n:, None]
    seen = vehicles.target.clone()
    seen[:n] = chosen[:n]
    for driver in range(n, vehicles.count):
        row = driver - n
        blocked = (close[row] & (seen == chosen[driver])).any(dim=0) & contested[row]
        torch.where(blocked, lane[row], chosen[driver], out=chosen[driver])
        seen[driver] = chosen[driver]
