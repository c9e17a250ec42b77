"""The same game on highway-env: its road network, vehicles, actions, physics and viewer.

What agents see and are paid is computed from the vehicles by the same code as for the native game; only what
happens between two decisions is highway-env's.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from highway_env.envs.common.abstract import AbstractEnv
from highway_env.road.lane import LineType, SineLane, StraightLane
from highway_env.road.road import Road, RoadNetwork
from highway_env.vehicle.behavior import IDMVehicle
from highway_env.vehicle.controller import MDPVehicle
from highway_env.vehicle.objects import Obstacle
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.merge.game import OnRampMerge, unpack
from stmg_envs.merge.observations import SEEN, SPEED_SCALE, VIEW, X_SCALE, Y_SCALE
from stmg_envs.merge.profiles import PROFILES
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
from stmg_envs.merge.simulation import TARGET_SPEEDS, TICKS
from stmg_envs.merge.vehicles import TICK, Vehicles
from stmg_envs.protocol import GameParallelEnv, State

SCREEN = (1040, 180)
"""Width and height of pictures in pixels."""


class MergeScene(AbstractEnv):
    """A highway-env environment of one on-ramp merge with many controlled vehicles.

    Its observation is highway-env's own, as the papers configure it; it has no reward and no end.

    Args:
        vehicles: the vehicles of one road, (V, 1).
        n: how many of them, the first, are controlled.
    """

    PERCEPTION_DISTANCE = VIEW
    viewer: Any

    def __init__(self, vehicles: Vehicles, n: int) -> None:
        self._start = vehicles
        self._controlled = n
        super().__init__(render_mode="rgb_array")

    @classmethod
    def default_config(cls) -> dict[str, Any]:
        ranges = {"x": X_SCALE, "y": Y_SCALE, "vx": SPEED_SCALE, "vy": SPEED_SCALE}
        return super().default_config() | {
            "observation": {
                "type": "MultiAgentObservation",
                "observation_config": {
                    "type": "Kinematics",
                    "vehicles_count": 1 + SEEN,
                    "features_range": {name: [-scale, scale] for name, scale in ranges.items()},
                    "clip": False,
                    "see_behind": True,
                    "include_obstacles": False,
                },
            },
            "action": {
                "type": "MultiAgentAction",
                "action_config": {"type": "DiscreteMetaAction", "target_speeds": list(TARGET_SPEEDS)},
            },
            "simulation_frequency": round(1 / TICK),
            "policy_frequency": round(1 / TICK / TICKS),
            "screen_width": SCREEN[0],
            "screen_height": SCREEN[1],
            "centering_position": [0.5, 0.5],
        }

    def _reset(self) -> None:
        self.road = Road(network=make_network(), np_random=self.np_random)
        self.road.objects.append(Obstacle(self.road, [MERGE_END, LANE_WIDTH]))
        present = self._start.present[:, 0].tolist()
        self.indices = [index for index, here in enumerate(present) if here]
        for index in self.indices:
            kind = self.action_type.vehicle_class if index < self._controlled else IDMVehicle
            self.road.vehicles.append(kind(self.road, [0.0, 0.0]))
        self.controlled_vehicles = [
            vehicle for vehicle in self.road.vehicles if isinstance(vehicle, MDPVehicle)
        ]
        self.write(self._start)

    def _reward(self, action: Any) -> float:
        return 0.0

    def _is_terminated(self) -> bool:
        return False

    def _is_truncated(self) -> bool:
        return False

    def _info(self, obs: Any, action: Any = None) -> dict[str, Any]:
        return {}

    def fits(self, vehicles: Vehicles) -> bool:
        """Whether the scene has a vehicle for each of those that are present, and no other."""
        return self.indices == vehicles.present[:, 0].nonzero().flatten().tolist()

    def write(self, vehicles: Vehicles) -> None:
        """Put the vehicles (V, 1) where they are to be."""
        columns = {name: value[:, 0].tolist() for name, value in vehicles.tensors().items()}
        network = self.road.network
        for vehicle, index in zip(self.road.vehicles, self.indices, strict=True):
            row = {name: column[index] for name, column in columns.items()}
            vehicle.position = np.array([row["x"], row["y"]])
            vehicle.heading, vehicle.speed = row["heading"], row["speed"]
            vehicle.target_speed, vehicle.crashed = row["target_speed"], row["crashed"]
            vehicle.lane_index, vehicle.target_lane_index = LANES[row["lane"]], LANES[row["target"]]
            vehicle.lane = network.get_lane(vehicle.lane_index)
            vehicle.impact = np.array([row["push_x"], row["push_y"]]) if row["pushed"] else None
            vehicle.action = {"steering": 0.0, "acceleration": 0.0}
            if isinstance(vehicle, MDPVehicle):
                vehicle.speed_index = int(vehicle.speed_to_index(row["target_speed"]))
            else:
                vehicle.timer = row["timer"]

    def read(self, vehicles: Vehicles) -> Vehicles:
        """The vehicles (V, 1) as they are now, absent ones as given."""
        columns = {name: value[:, 0].tolist() for name, value in vehicles.tensors().items()}
        for vehicle, index in zip(self.road.vehicles, self.indices, strict=True):
            pushed = vehicle.impact is not None
            push = vehicle.impact if pushed else (0.0, 0.0)
            row: Mapping[str, Any] = {
                "x": vehicle.position[0],
                "y": vehicle.position[1],
                "heading": vehicle.heading,
                "speed": vehicle.speed,
                "target_speed": vehicle.target_speed,
                "timer": getattr(vehicle, "timer", columns["timer"][index]),
                "push_x": push[0],
                "push_y": push[1],
                "pushed": pushed,
                "lane": LANES.index(vehicle.lane_index),
                "target": LANES.index(vehicle.target_lane_index),
                "crashed": vehicle.crashed,
                "present": True,
            }
            for name, value in row.items():
                columns[name][index] = value
        old = vehicles.tensors()
        return Vehicles(**{name: torch.tensor(columns[name], dtype=old[name].dtype)[:, None] for name in old})

    def picture(self, graph: Tensor, priority: Sequence[int]) -> NDArray[np.uint8]:
        """The road as highway-env draws it, uint8 (height, width, 3).

        Args:
            graph: the neighbour graph, bool (n, n).
            priority: agent indices in order of decision.
        """
        from stmg_envs.merge.viewer import MergeViewer

        if self.viewer is None:
            self.viewer = MergeViewer(self)
        agents = dict(zip(self.indices, self.road.vehicles, strict=True))
        labels = [(agents[i], str(rank + 1)) for rank, i in enumerate(priority) if i in agents]
        edges = [(agents[i], agents[j]) for i, j in graph.nonzero().tolist() if i < j]
        return self.viewer.picture(labels, edges)

    def decide(self, actions: list[int]) -> None:
        """Carry out one decision of all vehicles, the first n of which are told what to do."""
        self._simulate(tuple(actions[index] for index in self.indices if index < self._controlled))


def make_network() -> RoadNetwork:
    """The lanes as highway-env has them, in the order of `LANES`."""
    network = RoadNetwork()
    whole, dashed, none = LineType.CONTINUOUS_LINE, LineType.STRIPED, LineType.NONE
    axis = RAMP_Y - AMPLITUDE
    bend = {"amplitude": AMPLITUDE, "pulsation": PULSATION, "phase": PHASE}
    lanes = (
        StraightLane([0, 0], [MERGE_START, 0], line_types=[whole, whole]),
        StraightLane([MERGE_START, 0], [MERGE_END, 0], line_types=[whole, dashed]),
        StraightLane(
            [MERGE_START, LANE_WIDTH], [MERGE_END, LANE_WIDTH], line_types=[none, whole], forbidden=True
        ),
        StraightLane([MERGE_END, 0], [ROAD_END, 0], line_types=[whole, whole]),
        StraightLane([0, RAMP_Y], [BEFORE, RAMP_Y], line_types=[whole, whole], forbidden=True),
        SineLane([BEFORE, axis], [MERGE_START, axis], line_types=[whole, whole], forbidden=True, **bend),
    )
    for (start, end, _), lane in zip(LANES, lanes, strict=True):
        lane.speed_limit = SPEED_LIMIT
        network.add_lane(start, end, lane)
    return network


class HighwayEnvGame(OnRampMerge):
    """`OnRampMerge`, one road at a time, whose vehicles highway-env drives.

    All that lasts is in the state, so that copies and restored snapshots go on as the original.
    """

    profiles = {"highway-env": PROFILES["highway-env"]}  # noqa: RUF012 the base declares it as a constant

    _scene: MergeScene | None = None

    def drive(self, vehicles: Vehicles, actions: Tensor) -> Vehicles:
        scene = self.scene(vehicles)
        scene.decide(actions[:, 0].tolist())
        return scene.read(vehicles)

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        if mode == "ansi":
            return super().render(state, mode, priority)
        order = tuple(range(self.n)) if priority is None else priority
        return self.scene(unpack(state)).picture(state["neighbors"][0], order)

    def scene(self, vehicles: Vehicles) -> MergeScene:
        """A scene with these vehicles, (V, 1)."""
        if self._scene is None or not self._scene.fits(vehicles):
            self._scene = MergeScene(vehicles, self.n)
        else:
            self._scene.write(vehicles)
        return self._scene

    def __getstate__(self) -> dict[str, Any]:
        # The scene can be made again from any state, and its viewer cannot be copied.
        return {**vars(self), "_scene": None}


class HighwayEnvOnRampMerge(GameParallelEnv):
    """`OnRampMerge` as a PettingZoo parallel environment on highway-env 1.12.1.

    The same seed gives the same episodes as the native game does; spaces, rewards, metrics and arguments are
    its own, but for `profile`, which must be "highway-env".

    Args:
        render_mode: "ansi", "rgb_array" or None.
        priority: agent names, first to decide first.
        **arguments: of `OnRampMerge`.

    Raises:
        InvalidArgumentError, InvalidPriorityError: for an argument out of range.
    """

    __signature__ = inspect.signature(HighwayEnvGame)

    def __init__(self, render_mode: str | None = None, priority: object = None, **arguments: Any) -> None:
        super().__init__(HighwayEnvGame(**arguments), render_mode, priority)
