"""People before a door that is wide enough for one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from stmg_envs.arguments import require_count
from stmg_envs.protocol import Game, Outcome, State, Streams

GO = 1
PATIENCE = 0.1
"""What a timestep before the door costs."""


class Doorway(Game):
    """People before a door that is wide enough for one.

    | Space       | Each of n agents                                             |
    |-------------|--------------------------------------------------------------|
    | Action      | Discrete(2): wait, go                                        |
    | Observation | Box(0, 1, (2,)): whether one still waits, share of all who do |

    Who goes alone passes and is out of the game; who goes with others bumps into them, and all stay.

    **Rewards.** 1 for passing, -1 for bumping into somebody, and -0.1 for each timestep that ends before the
    door.

    **Metrics.** `passed`: share of the people who have passed.

    **Episode end.** Terminates when all have passed; truncates after 2 n timesteps.

    Args:
        n: number of people.

    Raises:
        InvalidArgumentError: for a number below 1.

    **Version history.** v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 2}
    fully_observed = True

    def __init__(self, n: int = 3) -> None:
        require_count("n", n, 1, 100)
        self.agents = tuple(f"person_{i}" for i in range(n))
        self.action_spaces = tuple(Discrete(2) for _ in self.agents)
        self.observation_space = Box(0.0, 1.0, (2,), np.float32)
        self.max_steps = 2 * n

    def reset(self, streams: Streams) -> State:
        batch = len(streams.keys)
        return {"waits": torch.ones(batch, self.n, dtype=torch.bool, device=streams.keys.device)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        waits = state["waits"]
        goes = waits & (actions == GO)
        alone = goes.sum(dim=1, keepdim=True) == 1
        passes, bumps = goes & alone, goes & ~alone
        still = waits & ~passes
        rewards = passes.float() - bumps.float() - PATIENCE * still.float()
        return Outcome(
            {"waits": still}, rewards, ~still.any(dim=1), {"passed": 1 - still.float().mean(dim=1)}
        )

    def observe(self, state: State) -> Tensor:
        waits = state["waits"].float()
        return torch.stack([waits, waits.mean(dim=1, keepdim=True).expand_as(waits)], dim=-1)

    def alive(self, state: State) -> Tensor:
        return state["waits"]

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str:
        here = ["*" if waits else "." for waits in state["waits"][0].tolist()]
        return f"{''.join(here)} | {''.join('.' if mark == '*' else '*' for mark in here)}"
