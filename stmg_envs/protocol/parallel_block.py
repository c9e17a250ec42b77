"""Some of a batch's parallel environments, stepped one after another by whoever runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pettingzoo import ParallelEnv

from stmg_envs.protocol.parallel import PriorityParallelEnv
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.tables import FINAL, Tables

Metrics = dict[str, float]
"""What one environment tells of one step beyond rewards."""


class ParallelBlock:
    """Environments that take what they need from tables and write there what happened.

    Args:
        envs: the environments.
        spaces: what learners know of them.
        tables: their rows of the batch's tables.
        first: index in the batch of the first of them, for messages.
    """

    def __init__(
        self,
        envs: Sequence[ParallelEnv[str, Any, Any]],
        spaces: ParallelSpaces,
        tables: Tables,
        first: int = 0,
    ) -> None:
        self.envs = envs
        self.spaces = spaces
        self.tables = tables
        self.first = first
        self._seen = [name for name in tables if FINAL + name in tables]
        tables["neighbors"][:] = ~np.eye(spaces.n, dtype=bool)

    def reset(self) -> list[Metrics]:
        """Begin an episode everywhere, with the seeds of the table; there are no metrics yet."""
        for index in range(len(self.envs)):
            with self._environment(index):
                self._begin(index)
        return [{} for _ in self.envs]

    def step(self) -> list[Metrics]:
        """One joint step everywhere; where an episode ends the next one begins."""
        metrics = []
        for index in range(len(self.envs)):
            with self._environment(index):
                metrics.append(self._step(index))
        return metrics

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()

    @contextmanager
    def _environment(self, index: int) -> Iterator[None]:
        """Errors say which environment raised them."""
        try:
            yield
        except Exception as error:
            place = f"environment {self.first + index}"
            if error.args and isinstance(error.args[0], str):
                error.args = (f"{place}: {error.args[0]}", *error.args[1:])
            else:
                error.add_note(f"in {place}")
            raise

    def _begin(self, index: int) -> None:
        observations, infos = self.envs[index].reset(seed=int(self.tables["seeds"][index]))
        self._see(index, observations, infos)

    def _step(self, index: int) -> Metrics:
        env, tables, agents = self.envs[index], self.tables, self.spaces.agents
        numbers = {agent: i for i, agent in enumerate(agents) if agent in env.agents}
        chosen = {
            agent: self.spaces.engine_action(i, tables["actions"][index, i]) for agent, i in numbers.items()
        }
        observations, paid, terminations, truncations, infos = env.step(chosen)
        tables["rewards"][index] = [paid.get(agent, 0.0) if agent in numbers else 0.0 for agent in agents]
        over = not env.agents
        # The last observation still counts: a truncated episode bootstraps from it.
        left = set(numbers) if over else set(numbers).intersection(env.agents)
        self._see(index, {agent: seen for agent, seen in observations.items() if agent in left}, infos)
        truncated = over and all(truncations[a] and not terminations[a] for a in numbers)
        tables["terminated"][index], tables["truncated"][index] = over and not truncated, truncated
        if over:
            for name in self._seen:
                tables[FINAL + name][index] = tables[name][index]
            self._begin(index)
        told = infos.get(next(iter(numbers)), {}) if isinstance(env, PriorityParallelEnv) else {}
        return {name: value for name, value in told.items() if isinstance(value, float)}

    def _see(self, index: int, observations: dict[str, Any], infos: dict[str, dict[str, Any]]) -> None:
        """Write what the agents of one environment see."""
        env, tables, spaces = self.envs[index], self.tables, self.spaces
        for name in self._seen:
            tables[name][index] = name == "action_mask"
        for i, agent in enumerate(spaces.agents):
            if agent in observations:
                tables["observation"][index, i] = spaces.own(i, observations[agent])
                tables["alive"][index, i] = True
                if spaces.discrete:
                    tables["action_mask"][index, i] = spaces.legal(
                        i, observations[agent], infos.get(agent, {})
                    )
        if spaces.state_space is not None:
            tables["state"][index] = np.asarray(env.state(), np.float32).reshape(-1)
        if isinstance(env, PriorityParallelEnv):
            tables["neighbors"][index] = env.neighbors()
