"""The same game on highway-env: its road network, vehicles, actions, physics and viewer.

What agents see and are paid is computed from the vehicles by the same code as for the native game; only what
happens between two decisions is highway-env's.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.merge.game import OnRampMerge, unpack
from stmg_envs.merge.profiles import PROFILES, Profile
from stmg_envs.merge.scene import MergeScene
from stmg_envs.merge.vehicles import Vehicles
from stmg_envs.protocol import GameParallelEnv, State


class HighwayEnvGame(OnRampMerge):
    """`OnRampMerge`, one road at a time, whose vehicles highway-env drives.

    All that lasts is in the state, so that copies and restored snapshots go on as the original.
    """

    profiles: ClassVar[Mapping[str, Profile]] = {"highway-env": PROFILES["highway-env"]}

    _scene: MergeScene | None = None
    _last: Vehicles | None = None

    def drive(self, vehicles: Vehicles, actions: Tensor) -> Vehicles:
        scene = self.scene(vehicles)
        scene.decide(actions[:, 0].tolist())
        self._last = scene.read(vehicles)
        return self._last

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        if mode == "ansi":
            return super().render(state, mode, priority)
        order = tuple(range(self.n)) if priority is None else priority
        return self.scene(unpack(state)).picture(state["neighbors"][0], order)

    def scene(self, vehicles: Vehicles) -> MergeScene:
        """A scene with these vehicles, (V, 1)."""
        if self._scene is None:
            self._scene = MergeScene(vehicles, self.n)
        elif self._last is None or not vehicles.is_same(self._last):
            self._scene.load(vehicles)
        self._last = None
        return self._scene

    def __getstate__(self) -> dict[str, Any]:
        # The scene can be made again from any state, and its viewer cannot be copied.
        return {**vars(self), "_scene": None, "_last": None}


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
