"""Decisions in the forms that views take, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, Space
from numpy.typing import NDArray
from torch import Tensor

from baselines.runs.sights import View
from stmg_envs.protocol import (
    JointVectorEnv,
    ParallelSpaces,
    PriorityParallelEnv,
    TurnStreamEnv,
)


class ActionForm:
    """How actions of a policy and of a view's agents stand to each other.

    A policy's actions of a native game are the game's; of an engine's boxes they are numbers in [-1, 1]
    (`ParallelSpaces`).

    Args:
        env: the view.
        engine: its `engine_spaces`.
    """

    def __init__(self, env: View, engine: ParallelSpaces | None) -> None:
        self._env = env
        parallel = None
        if not isinstance(env, JointVectorEnv):
            parallel = env if isinstance(env, PriorityParallelEnv) else env.parallel
        self._engine = engine
        self._spaces: tuple[Space[Any], ...] = (
            () if parallel is None else tuple(map(parallel.action_space, parallel.possible_agents))
        )

    def of_view(self, agent: int, action: Tensor) -> Any:
        """An agent's action as the view takes it: in a stream of turns, numbers are as many as anybody's.

        Args:
            agent: its index.
            action: int64 (), or float32 (action_dim,), which may be longer than the agent's own.
        """
        own = self.of_agent(agent, action)
        wide = isinstance(self._env, TurnStreamEnv) and isinstance(self._env.action_space, Box)
        return np.pad(own, (0, len(action) - len(own))) if wide else own

    def of_agent(self, agent: int, action: Tensor) -> Any:
        """An agent's action in its own space."""
        space, numbers = self._spaces[agent], action.cpu().numpy()
        if self._engine is not None:
            return self._engine.engine_action(agent, numbers)
        if isinstance(space, Discrete):
            return int(numbers)
        assert isinstance(space, Box)
        return numbers[: space.shape[0]]

    def of_policy(self, agent: int, action: NDArray[Any], width: int) -> Tensor:
        """An agent's action as the policy takes it, int64 () or float32 (width,)."""
        space = self._spaces[agent]
        if isinstance(space, Discrete):
            return torch.tensor(int(action) - int(space.start))
        assert isinstance(space, Box)
        numbers = np.asarray(action, np.float64).reshape(-1)
        if self._engine is not None:
            low, high = (np.asarray(x, np.float64).reshape(-1) for x in (space.low, space.high))
            numbers = (numbers - low) / (high - low) * 2 - 1
        return torch.from_numpy(np.pad(numbers, (0, width - len(numbers))).astype(np.float32))
