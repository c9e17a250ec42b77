"""The road: one through lane, and a ramp that runs beside it before it ends.

    a ----------------------------- b ============ c --------- d     through lane, y = 0
                                  /  ------------ X                  merge lane, y = 4, closed by an obstacle
    j ------------------ k ------                                    ramp, y = 10.5, and its bend

All lanes run along x, so that a place along a lane is an x. A vehicle's lane is the nearest one; lanes
are numbered as a highway-env network of the same nodes lists them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

BEFORE, CONVERGING, MERGING, AFTER = 220.0, 100.0, 100.0, 100.0
"""Lengths of the sections of the road, metres."""

BESIDE = BEFORE
MERGE_START = BEFORE + CONVERGING
MERGE_END = MERGE_START + MERGING
ROAD_END = MERGE_END + AFTER
"""Where vehicles on ramp and through lane begin to see each other, the merge lane begins, it ends, and the
road ends: x, metres."""

LANE_WIDTH = 4.0
AMPLITUDE = 3.25
PULSATION = math.pi / CONVERGING
PHASE = math.pi / 2
RAMP_Y = 2 * AMPLITUDE + LANE_WIDTH
SPEED_LIMIT = 30.0
"""Metres per second; above what any vehicle wants to drive, as the papers' traffic has no limit."""

LANES = (("a", "b", 0), ("b", "c", 0), ("b", "c", 1), ("c", "d", 0), ("j", "k", 0), ("k", "b", 0))
THROUGH, BESIDE_MERGE, MERGE, ONWARD, RAMP, BEND = range(len(LANES))
"""The lanes: names in a network, and numbers here."""

OBSTACLE = (MERGE_END, LANE_WIDTH)
"""Where the obstacle stands that closes the merge lane: x and y of its centre."""

REACH = 5.0
"""How far beyond its ends a lane still counts, metres: the length of a vehicle."""


@dataclass(frozen=True)
class Roads:
    """The lanes as tensors; L = 6 lanes.

    Attributes:
        start, end: x of both ends, float64 (L, 1, 1), metres.
        first, last: from which x on, and before which, bodies may stand on a lane, float64 (L, 1, 1), metres.
        center: y of the middle line, float64 (L, 1, 1), metres; of the bend, of its axis.
        turn: beyond which x vehicles follow the next lane, float64 (L,), metres.
        next_lane: what they follow then, int64 (L,); of the last lane, itself.
        through: whether a lane belongs to the through road, bool (L,); otherwise to the ramp.
        beside: from which x on vehicles in a lane see those of the other road, float64 (L,), metres.
        bits: the lanes as bits of a set, uint8 (L,).
    """

    start: Tensor
    end: Tensor
    first: Tensor
    last: Tensor
    center: Tensor
    turn: Tensor
    next_lane: Tensor
    through: Tensor
    beside: Tensor
    bits: Tensor

    def offsets(self, y: Tensor, phase: Tensor) -> Tensor:
        """How far places (V, B) lie to the right of the middle of each lane, (L, V, B), metres.

        Args:
            y: across the road, metres.
            phase: where the places are in the sine of the bend, radians.
        """
        offsets = y - self.center
        offsets[BEND] -= phase.sin().mul_(AMPLITUDE)
        return offsets

    def closest(self, x: Tensor, heading: Tensor, aside: Tensor, bend: Tensor) -> Tensor:
        """The nearest lane of vehicles (V, B), int64: by distance in metres and angle in radians.

        Args:
            x: of vehicles, metres.
            heading: theirs, radians.
            aside: their distances to the middle of each lane, (L, V, B), metres.
            bend: the direction of the bend there, radians.
        """
        distance = (x - x.clamp(self.start, self.end)).abs_().add_(aside)
        angle = torch.stack([heading, heading - bend])
        straight, bent = wrap_(angle).abs_()
        distance[:BEND] += straight
        distance[BEND] += bent
        return distance.min(dim=0).indices

    def covering(self, x: Tensor, aside: Tensor) -> Tensor:
        """The lanes on which bodies (V, B) stand, with a metre to spare, as sets of bits, uint8."""
        on = aside <= LANE_WIDTH / 2 + 1
        on &= x >= self.first
        on &= x < self.last
        return (on * self.bits[:, None, None]).sum(dim=0, dtype=torch.uint8)

    def follow(self, lane: Tensor, x: Tensor, keeps: Tensor) -> Tensor:
        """The lanes to follow, which are the next ones half a vehicle before the end of the present ones.

        Who `keeps` the present one, bool, follows that.
        """
        after = (x > self.turn.take(lane)) > keeps  # and not
        return torch.where(after, self.next_lane.take(lane), lane)


@functools.cache
def roads(device: torch.device) -> Roads:
    """The lanes on a device."""

    def table(values: list[float], dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    numbers, whole, flags = torch.float64, torch.int64, torch.bool
    start = table([0, MERGE_START, MERGE_START, MERGE_END, 0, BEFORE], numbers)[:, None, None]
    end = table([MERGE_START, MERGE_END, MERGE_END, ROAD_END, BEFORE, MERGE_START], numbers)[:, None, None]
    return Roads(
        start=start,
        end=end,
        first=start - REACH,
        last=end + REACH,
        center=table([0, 0, LANE_WIDTH, 0, RAMP_Y, RAMP_Y - AMPLITUDE], numbers)[:, None, None],
        turn=(end - REACH / 2).flatten(),
        next_lane=table([BESIDE_MERGE, ONWARD, ONWARD, ONWARD, BEND, MERGE], whole),
        through=table([1, 1, 0, 1, 0, 0], flags),
        beside=table([BESIDE, -math.inf, -math.inf, math.inf, math.inf, -math.inf], numbers),
        bits=table([1 << lane for lane in range(len(LANES))], torch.uint8),
    )


def opens(lane: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Whether vehicles that follow a lane may change to the one beside it, bool, of the shape given.

    Only the merge lane has one that is open, `BESIDE_MERGE`; vehicles must be near enough to it.
    """
    near = (y.abs() <= 2 * LANE_WIDTH) & (x >= MERGE_START) & (x < MERGE_END + REACH)
    return near & (lane == MERGE)


def bend_phase(x: Tensor) -> Tensor:
    """Where places x are in the sine of the bend, radians."""
    return (x - BEFORE).mul_(PULSATION).add_(PHASE)


def bend_heading(phase: Tensor) -> Tensor:
    """The direction of the bend where its sine has these phases, radians."""
    return phase.cos().mul_(AMPLITUDE * PULSATION).atan_()


def wrap_(angle: Tensor) -> Tensor:
    """Angles brought into [-pi, pi), in place."""
    return angle.add_(math.pi).remainder_(2 * math.pi).sub_(math.pi)
