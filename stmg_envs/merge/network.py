"""The roads as highway-env has them, with lanes that answer faster than its own."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from highway_env.road.lane import LineType, SineLane, StraightLane
from highway_env.road.road import RoadNetwork
from numpy.typing import NDArray

from stmg_envs.merge.roads import (
    AMPLITUDE,
    BEFORE,
    LANE_WIDTH,
    LANES,
    MERGE_END,
    MERGE_START,
    PHASE,
    PULSATION,
    RAMP_Y,
    ROAD_END,
    SPEED_LIMIT,
)

TURN = 2 * math.pi

LaneIndex = tuple[str, str, int]


class AlongX(StraightLane):
    """A straight lane along x: the same numbers without rotation and arrays, which take long."""

    length: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._x, self._y = map(float, self.start)
        self.length = float(self.length)

    def local_coordinates(self, position: NDArray[np.float64]) -> tuple[float, float]:
        return self.coordinates(*position.tolist())

    def coordinates(self, x: float, y: float) -> tuple[float, float]:
        """Metres along and across the lane."""
        return x - self._x, y - self._y


class BendAlongX(SineLane, AlongX):
    """A sine-shaped lane along x."""

    def local_coordinates(self, position: NDArray[np.float64]) -> tuple[float, float]:
        return self.coordinates(*position.tolist())

    def coordinates(self, x: float, y: float) -> tuple[float, float]:
        along, across = super().coordinates(x, y)
        # numpy's sine, because the last bit of Python's may be another one.
        return along, across - self.amplitude * float(np.sin(self.pulsation * along + self.phase))


class MergeNetwork(RoadNetwork):
    """A network of lanes along x."""

    @cached_property
    def _indexed(self) -> list[tuple[LaneIndex, AlongX]]:
        """Lanes in the order in which highway-env looks through them."""
        return [
            ((start, end, number), lane)
            for start, ends in self.graph.items()
            for end, lanes in ends.items()
            for number, lane in enumerate(lanes)
        ]

    def get_closest_lane_index(
        self, position: NDArray[np.float64], heading: float | None = None
    ) -> LaneIndex:
        if heading is None:
            index: LaneIndex = super().get_closest_lane_index(position)
            return index
        x, y = position.tolist()
        found, nearest = self._indexed[0][0], math.inf
        for index, lane in self._indexed:
            along, across = lane.coordinates(x, y)
            distance = abs(across) + max(along - lane.length, 0) + max(-along, 0)
            # What is farther than the nearest without its turn needs no turn.
            if distance < nearest:
                distance += abs((heading - lane.heading_at(along) + math.pi) % TURN - math.pi)
                if distance < nearest:
                    found, nearest = index, distance
        return found


def make_network(
    network: type[RoadNetwork] = MergeNetwork,
    straight: type[StraightLane] = AlongX,
    bend: type[SineLane] = BendAlongX,
) -> RoadNetwork:
    """The lanes as highway-env has them, in the order of `LANES`.

    Args:
        network: class of the network.
        straight: class of straight lanes.
        bend: class of the bend.
    """
    roads = network()
    whole, dashed, none = LineType.CONTINUOUS_LINE, LineType.STRIPED, LineType.NONE
    axis = RAMP_Y - AMPLITUDE
    shape = {"amplitude": AMPLITUDE, "pulsation": PULSATION, "phase": PHASE}
    closed = {"forbidden": True}
    lanes = (
        straight([0, 0], [MERGE_START, 0], line_types=[whole, whole]),
        straight([MERGE_START, 0], [MERGE_END, 0], line_types=[whole, dashed]),
        straight([MERGE_START, LANE_WIDTH], [MERGE_END, LANE_WIDTH], line_types=[none, whole], **closed),
        straight([MERGE_END, 0], [ROAD_END, 0], line_types=[whole, whole]),
        straight([0, RAMP_Y], [BEFORE, RAMP_Y], line_types=[whole, whole], **closed),
        bend([BEFORE, axis], [MERGE_START, axis], line_types=[whole, whole], **closed, **shape),
    )
    for (start, end, _), lane in zip(LANES, lanes, strict=True):
        lane.speed_limit = SPEED_LIMIT
        roads.add_lane(start, end, lane)
    return roads
