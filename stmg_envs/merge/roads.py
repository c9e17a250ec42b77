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
        start, end: x of both ends, float64 (L,), metres.
        center: y of the middle line, float64 (L,), metres; of the bend, of its axis.
        next_lane: what a vehicle follows at the end of a lane, int64 (L,); of the last lane, itself.
        side_lane: the lane beside it that one may change to, int64 (L,); -1 if there is none.
        segment: which lanes run side by side between the same nodes, int64 (L,).
        through: whether a lane belongs to the through road, bool (L,); otherwise to the ramp.
        beside: from which x on vehicles in a lane see those of the other road, float64 (L,), metres.
        rows: the lanes' numbers, int64 (L, 1, 1).
    """

    start: Tensor
    end: Tensor
    center: Tensor
    next_lane: Tensor
    side_lane: Tensor
    segment: Tensor
    through: Tensor
    beside: Tensor
    rows: Tensor

    def offsets(self, x: Tensor, y: Tensor) -> Tensor:
        """How far places (V, B) lie to the right of the middle of each lane, (L, V, B), metres."""
        offsets = y - self.center[:, None, None]
        offsets[BEND] -= AMPLITUDE * torch.sin(PULSATION * (x - BEFORE) + PHASE)
        return offsets

    def closest(self, x: Tensor, heading: Tensor, offsets: Tensor) -> Tensor:
        """The nearest lane of vehicles (V, B), int64: by distance in metres and angle in radians."""
        distance = offsets.abs()
        distance += (x - self.end[:, None, None]).clamp_(min=0)
        distance += (self.start[:, None, None] - x).clamp_(min=0)
        straight = wrap(heading).abs_()
        distance[:BEND] += straight
        distance[BEND] += wrap(heading - bend_heading(x)).abs_()
        return distance.min(dim=0).indices

    def covering(self, x: Tensor, offsets: Tensor) -> Tensor:
        """The lanes on which bodies (V, B) stand, with a metre to spare, as sets of bits, int64."""
        on = offsets.abs() <= LANE_WIDTH / 2 + 1
        on &= x >= self.start[:, None, None] - REACH
        on &= x < self.end[:, None, None] + REACH
        return (on.long() << self.rows).sum(dim=0)

    def reachable(self, lane: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Whether vehicles are near enough to a straight lane to change to it, bool, of the shape given."""
        near = (y - self.center[lane]).abs() <= 2 * LANE_WIDTH
        return near & (x >= self.start[lane]) & (x < self.end[lane] + REACH)

    def follow(self, lane: Tensor, x: Tensor) -> Tensor:
        """The lanes to follow, which are the next ones half a vehicle before the end of the present ones."""
        after = x - self.start[lane] > (self.end - self.start - REACH / 2)[lane]
        return torch.where(after, self.next_lane[lane], lane)


@functools.cache
def roads(device: torch.device) -> Roads:
    """The lanes on a device."""

    def table(values: list[float], dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    numbers, whole, flags = torch.float64, torch.int64, torch.bool
    return Roads(
        start=table([0, MERGE_START, MERGE_START, MERGE_END, 0, BEFORE], numbers),
        end=table([MERGE_START, MERGE_END, MERGE_END, ROAD_END, BEFORE, MERGE_START], numbers),
        center=table([0, 0, LANE_WIDTH, 0, RAMP_Y, RAMP_Y - AMPLITUDE], numbers),
        next_lane=table([BESIDE_MERGE, ONWARD, ONWARD, ONWARD, BEND, MERGE], whole),
        side_lane=table([-1, -1, BESIDE_MERGE, -1, -1, -1], whole),
        segment=table([0, 1, 1, 2, 3, 4], whole),
        through=table([1, 1, 0, 1, 0, 0], flags),
        beside=table([BESIDE, -math.inf, -math.inf, math.inf, math.inf, -math.inf], numbers),
        rows=torch.arange(len(LANES), device=device)[:, None, None],
    )


def bend_heading(x: Tensor) -> Tensor:
    """The direction of the bend at places x, radians."""
    return torch.atan(AMPLITUDE * PULSATION * torch.cos(PULSATION * (x - BEFORE) + PHASE))


def wrap(angle: Tensor) -> Tensor:
    """Angles brought into [-pi, pi)."""
    return torch.remainder(angle + math.pi, 2 * math.pi).sub_(math.pi)
