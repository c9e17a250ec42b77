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
        center: y of the middle line, float64 (L, 1, 1), metres; of the bend, of its axis.
        bounds: where sections begin, within which nothing changes for any lane, but for the first of the S
            sections, float64 (S - 1,), metres.
        on: the lanes on which bodies in a section may stand, as sets of bits, uint8 (S,).
        onward: the lane that vehicles in a section follow after a lane, int64 (L * S,).
        open: whether vehicles in a section and a lane have an open one beside them, bool (L * S,).
        same_way: whether the second of two lanes is the first one or the next, bool (L * L,).
        bends: 1 for the bend, else 0, float64 (L,).
        through: whether a lane belongs to the through road, bool (L,); otherwise to the ramp.
        beside: from which x on vehicles in a lane see those of the other road, float64 (L,), metres.
        bits: the lanes as bits of a set, uint8 (L, 1, 1).
    """

    start: Tensor
    end: Tensor
    center: Tensor
    bounds: Tensor
    on: Tensor
    onward: Tensor
    open: Tensor
    same_way: Tensor
    bends: Tensor
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
        offsets[BEND].sub_(phase.sin().mul_(AMPLITUDE))
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
        distance[:BEND].add_(straight)
        distance[BEND].add_(bent)
        return distance.min(dim=0).indices

    def section(self, x: Tensor) -> Tensor:
        """The sections in which places x lie, int64."""
        return torch.bucketize(x, self.bounds, right=True)

    def covering(self, section: Tensor, aside: Tensor) -> Tensor:
        """The lanes on which bodies (V, B) stand, with a metre to spare, as sets of bits, uint8."""
        near = (aside <= LANE_WIDTH / 2 + 1) * self.bits
        return near.sum(dim=0, dtype=torch.uint8).bitwise_and_(self.on.take(section))

    def follow(self, lane: Tensor, section: Tensor) -> Tensor:
        """The lanes to follow, which are the next ones half a vehicle before the end of the present ones."""
        return self.onward.take(torch.add(section, lane, alpha=len(self.on)))

    def opens(self, lane: Tensor, section: Tensor, y: Tensor) -> Tensor:
        """Whether vehicles that follow a lane may change to the one beside it, bool.

        Only the merge lane has one that is open, `BESIDE_MERGE`; vehicles must be near enough to it.
        """
        beside = self.open.take(torch.add(section, lane, alpha=len(self.on)))
        return beside & (y.abs() <= 2 * LANE_WIDTH)

    def drives_ahead(self, lane: Tensor, other: Tensor) -> Tensor:
        """Whether the other lane is the same or the next one, bool."""
        return self.same_way.take(torch.add(other, lane, alpha=len(LANES)))


@functools.cache
def roads(device: torch.device) -> Roads:
    """The lanes on a device."""

    def table(values: list[float], dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    numbers, whole, flags = torch.float64, torch.int64, torch.bool
    starts = [0, MERGE_START, MERGE_START, MERGE_END, 0, BEFORE]
    ends = [MERGE_START, MERGE_END, MERGE_END, ROAD_END, BEFORE, MERGE_START]
    after = [BESIDE_MERGE, ONWARD, ONWARD, ONWARD, BEND, MERGE]
    lanes = range(len(LANES))
    # Vehicles turn beyond these places, not yet in them.
    turns = [end - REACH / 2 for end in ends]
    bounds = {start - REACH for start in starts} | {end + REACH for end in ends}
    bounds |= {math.nextafter(turn, math.inf) for turn in turns} | {MERGE_START}
    sections = [-math.inf, *sorted(bounds)]
    return Roads(
        start=table(starts, numbers)[:, None, None],
        end=table(ends, numbers)[:, None, None],
        center=table([0, 0, LANE_WIDTH, 0, RAMP_Y, RAMP_Y - AMPLITUDE], numbers)[:, None, None],
        bounds=table(sections[1:], numbers),
        on=table(
            [sum(1 << i for i in lanes if starts[i] - REACH <= x < ends[i] + REACH) for x in sections],
            torch.uint8,
        ),
        onward=table([after[i] if x > turns[i] else i for i in lanes for x in sections], whole),
        open=table(
            [i == MERGE and MERGE_START <= x < MERGE_END + REACH for i in lanes for x in sections], flags
        ),
        same_way=table([j in (i, after[i]) for i in lanes for j in lanes], flags),
        bends=table([i == BEND for i in lanes], numbers),
        through=table([1, 1, 0, 1, 0, 0], flags),
        beside=table([BESIDE, -math.inf, -math.inf, math.inf, math.inf, -math.inf], numbers),
        bits=table([1 << i for i in lanes], torch.uint8)[:, None, None],
    )


def bend_phase(x: Tensor) -> Tensor:
    """Where places x are in the sine of the bend, radians."""
    return (x - BEFORE).mul_(PULSATION).add_(PHASE)


def bend_heading(phase: Tensor) -> Tensor:
    """The direction of the bend where its sine has these phases, radians."""
    return phase.cos().mul_(AMPLITUDE * PULSATION).atan_()


def wrap_(angle: Tensor) -> Tensor:
    """Angles brought into [-pi, pi), in place."""
    return angle.add_(math.pi).remainder_(2 * math.pi).sub_(math.pi)
