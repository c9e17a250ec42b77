"""A game that breaks on some of its actions, as engines do."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

BREAKS, GOES_ON = 0.25, 0.75


class Fragile(gymnasium.Env[Any, Any]):
    """Ends after a step, unless it is told otherwise."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        number = float(action[0])
        if number == BREAKS:
            raise ZeroDivisionError("of the engine")
        return np.zeros(1, np.float32), 1.0, number != GOES_ON, False, {}


gymnasium.register("Fragile-v0", entry_point=Fragile, disable_env_checker=True)
