"""One road of highway-env: its network, its vehicles, and what goes in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from highway_env.envs.common.abstract import AbstractEnv
from highway_env.road.road import Road
from highway_env.vehicle.behavior import IDMVehicle
from highway_env.vehicle.controller import MDPVehicle
from highway_env.vehicle.objects import Obstacle
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.merge.network import make_network
from stmg_envs.merge.observations import SEEN, SPEED_SCALE, VIEW, X_SCALE, Y_SCALE
from stmg_envs.merge.roads import LANE_WIDTH, LANES, MERGE_END
from stmg_envs.merge.simulation import TARGET_SPEEDS, TICKS
from stmg_envs.merge.vehicles import TICK, Vehicles

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
        self._vehicles = vehicles
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
        self.indices = _present(self._vehicles)
        for index in self.indices:
            kind = self.action_type.vehicle_class if index < self._controlled else IDMVehicle
            self.road.vehicles.append(kind(self.road, [0.0, 0.0]))
        self.controlled_vehicles = [
            vehicle for vehicle in self.road.vehicles if isinstance(vehicle, MDPVehicle)
        ]
        self.write(self._vehicles)

    def _reward(self, action: Any) -> float:
        return 0.0

    def _is_terminated(self) -> bool:
        return False

    def _is_truncated(self) -> bool:
        return False

    def _info(self, obs: Any, action: Any = None) -> dict[str, Any]:
        return {}

    def load(self, vehicles: Vehicles) -> None:
        """Make the scene one of these vehicles (V, 1)."""
        if self.indices == _present(vehicles):
            self.write(vehicles)
        else:
            self._vehicles = vehicles
            self._reset()
            self.define_spaces()

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
        tensors = {name: value.clone() for name, value in vehicles.tensors().items()}
        columns = {name: value.numpy()[:, 0] for name, value in tensors.items()}
        for vehicle, index in zip(self.road.vehicles, self.indices, strict=True):
            columns["x"][index], columns["y"][index] = vehicle.position
            columns["heading"][index], columns["speed"][index] = vehicle.heading, vehicle.speed
            columns["target_speed"][index], columns["crashed"][index] = vehicle.target_speed, vehicle.crashed
            columns["lane"][index] = LANES.index(vehicle.lane_index)
            columns["target"][index] = LANES.index(vehicle.target_lane_index)
            columns["pushed"][index] = vehicle.impact is not None
            push = (0.0, 0.0) if vehicle.impact is None else vehicle.impact
            columns["push_x"][index], columns["push_y"][index] = push
            if not isinstance(vehicle, MDPVehicle):
                columns["timer"][index] = vehicle.timer
        return Vehicles(**tensors)

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


def _present(vehicles: Vehicles) -> list[int]:
    """The numbers of the vehicles (V, 1) that are present."""
    return [index for index, here in enumerate(vehicles.present[:, 0].tolist()) if here]
