"""A small parallel environment in plain Python in which actions do to its process what engines may do."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from stmg_envs.errors import InvalidActionError
from stmg_envs.protocol import PriorityParallelEnv

LEFT, RIGHT, FORBIDDEN, CRASH, HANG = range(5)
"""Two safe actions, one that raises an error, one that breaks the process, one that never ends."""
LONGEST = 8


class Hazards(PriorityParallelEnv):
    """Agents a and b add random numbers; a leaves in the second step, the episode ends after 3 to 8.

    Episodes of 8 steps are truncated, others terminated. Observations, masks, graphs, states and metrics
    change with every step and depend on the seed.
    """

    metadata: dict[str, Any] = {"name": "hazards"}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self, length: int | None = None) -> None:
        self.possible_agents = ["a", "b"]
        self.agents = []
        self.length = length
        self.observation_spaces = dict.fromkeys(self.possible_agents, Box(-100, 100, (2,), np.float32))
        self.action_spaces = dict.fromkeys(self.possible_agents, Discrete(5))
        self.state_space = Box(-100, 100, (3,), np.float32)
        self.priority = ("b", "a")

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.rng = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.clock, self.total = 0, 0.0
        self.end = self.length or int(self.rng.integers(3, LONGEST + 1))
        return self._see(self.agents)

    def step(self, actions: dict[str, Any]) -> Any:
        for agent, action in actions.items():
            if action == FORBIDDEN:
                raise InvalidActionError(f"action {action} of {agent} is forbidden")
            if action == CRASH:
                ctypes.string_at(0)
            if action == HANG:
                threading.Event().wait()
        acted = self.agents
        self.clock += 1
        self.total += float(self.rng.random()) + sum(actions.values())
        over, cut = self.clock == self.end, self.clock == self.end == LONGEST
        gone = set(acted) if over else {"a"} if self.clock == 2 else set()
        self.agents = [agent for agent in acted if agent not in gone]
        observations, infos = self._see(acted)
        rewards = {agent: self.total + index for index, agent in enumerate(acted)}
        terminations = {agent: agent in gone and not cut for agent in acted}
        return observations, rewards, terminations, dict.fromkeys(acted, cut), infos

    def state(self) -> NDArray[np.float32]:
        return np.array([self.clock, self.total, len(self.agents)], np.float32)

    def neighbors(self) -> NDArray[np.bool_]:
        return np.full((2, 2), self.clock % 2 == 0) & ~np.eye(2, dtype=bool)

    def _see(self, agents: list[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        seen = np.array([self.clock, self.total], np.float32)
        mask = np.array([1, 1, self.clock % 2, 0, 0], np.int8)
        infos = {agent: {"action_mask": mask, "total": self.total} for agent in agents}
        return {agent: seen + index for index, agent in enumerate(agents)}, infos
