"""Some of a batch's parallel environments, stepped one after another by whoever runs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pettingzoo import ParallelEnv

from stmg_envs.protocol.parallel import PriorityParallelEnv
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.soundness import require_finite, require_legal_action
from stmg_envs.protocol.tables import FINAL, Tables
from stmg_envs.protocol.told import (
    RESET,
    STEP,
    ended,
    living_agents,
    require_sights,
    require_tables,
    reward_of,
)

Metrics = dict[str, float]
"""What one environment tells of one step beyond rewards."""
LOST = "lost"
"""What an environment tells, as 1.0, whose engine has lost the episode; it truncates it, with its last view.
"""


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
        env = self.envs[index]
        told = env.reset(seed=int(self.tables["seeds"][index]))
        require_tables(env, "reset", told, RESET)
        observations, infos = told
        living = living_agents(env, self.spaces.agents)
        require_sights(observations, living)
        self._see(index, observations, infos, living)
        self._require_choice(index)

    def _step(self, index: int) -> Metrics:
        env, tables, agents = self.envs[index], self.tables, self.spaces.agents
        numbers = {agent: i for i, agent in enumerate(agents) if agent in env.agents}
        chosen = {
            agent: self.spaces.engine_action(i, tables["actions"][index, i]) for agent, i in numbers.items()
        }
        told = env.step(chosen)
        require_tables(env, "step", told, STEP)
        observations, paid, terminations, truncations, infos = told
        living = living_agents(env, agents)
        cut = {agent for agent in numbers if ended(agent, truncations)}
        # Who leaves without a word of why has come to its end by the rules.
        terminated = {a for a in numbers if ended(a, terminations) or (a not in living and a not in cut)}
        truncated = cut - terminated
        playing = [agent for agent in living if agent not in terminated | truncated]
        require_sights(observations, playing)
        self._pay(index, numbers, paid)
        tables["terminations"][index] = [agent in terminated for agent in agents]
        tables["truncations"][index] = [agent in truncated for agent in agents]
        tables["terminated"][index] = not playing and not truncated
        tables["truncated"][index] = not playing and bool(truncated)
        if terminated or truncated:
            self._see(index, observations, infos, playing + list(truncated) if playing else list(numbers))
            if truncated:
                # They bootstrap from what they see last.
                self._require_numbers(index, truncated)
            for name in self._seen:
                tables[FINAL + name][index] = tables[name][index]
        if playing:
            self._see(index, observations, infos, playing)
            self._require_choice(index)
        else:
            self._begin(index)
        said = infos.get(next(iter(numbers)), {}) if isinstance(env, PriorityParallelEnv) else {}
        return {name: value for name, value in said.items() if isinstance(value, float)}

    def _pay(self, index: int, acting: Collection[str], paid: dict[str, float]) -> None:
        """Write the rewards of those who acted."""
        agents = self.spaces.agents
        self.tables["rewards"][index] = [reward_of(a, paid) if a in acting else 0.0 for a in agents]

    def _require_choice(self, index: int) -> None:
        """Raise an error unless everybody who is to decide sees numbers and has a legal action."""
        alive = self.tables["alive"][index]
        playing = [agent for agent, plays in zip(self.spaces.agents, alive, strict=True) if plays]
        self._require_numbers(index, playing)
        if self.spaces.discrete:
            for agent in playing:
                require_legal_action(
                    agent, self.tables["action_mask"][index, self.spaces.agents.index(agent)]
                )

    def _require_numbers(self, index: int, agents: Collection[str]) -> None:
        """Raise NotFiniteError unless these agents see numbers alone."""
        for agent in agents:
            seen = self.tables["observation"][index, self.spaces.agents.index(agent)]
            require_finite(f"observation of {agent}", seen)
        if "state" in self.tables:
            require_finite("global state", self.tables["state"][index])

    def _see(
        self,
        index: int,
        observations: dict[str, Any],
        infos: dict[str, dict[str, Any]],
        agents: Collection[str],
    ) -> None:
        """Write what these agents of one environment see; the rows of others are empty."""
        env, tables, spaces = self.envs[index], self.tables, self.spaces
        for name in self._seen:
            tables[name][index] = name == "action_mask"
        for i, agent in enumerate(spaces.agents):
            if agent in observations and agent in agents:
                tables["observation"][index, i] = spaces.own(i, observations[agent])
                tables["alive"][index, i] = True
                if spaces.discrete:
                    tables["action_mask"][index, i] = spaces.legal(
                        i, observations[agent], infos.get(agent, {})
                    )
        if spaces.state_space is not None:
            tables["state"][index] = np.asarray(env.state(), np.float32).reshape(-1)
        neighbors = getattr(env, "neighbors", None)
        if neighbors is not None:
            tables["neighbors"][index] = neighbors()
