"""A batch of PettingZoo parallel environments, stepped one after another in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.episodes import Seed, seed_tensor
from stmg_envs.protocol.neighbors import fully_connected
from stmg_envs.protocol.parallel import PriorityParallelEnv
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.priority import priority_indices
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.vector import JointVectorEnv, Observations

ENGINE_SEEDS = 2**31
"""Engines take seeds below this."""


class ParallelVectorEnv(JointVectorEnv):
    """B parallel environments of anybody's as tensors.

    Every episode is seeded from its own stream, so that environment b does not depend on the batch around
    it. An episode is over when no agent is left: terminated unless all last agents were truncated. Agents
    that have left see zeros and get nothing. Priority, neighbour graphs and metrics are those of the
    environments if they are `PriorityParallelEnv`s; others have the order of their agents, full graphs, none.

    Args:
        make: makes one environment.
        num_envs: B.
        device: where the tensors go; the environments run on the CPU.

    Raises:
        InvalidArgumentError: if the spaces are not supported.
    """

    keeps_episodes = False
    game: ParallelSpaces

    def __init__(
        self,
        make: Callable[[], ParallelEnv[str, Any, Any]],
        num_envs: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.envs = [make() for _ in range(num_envs)]
        self.game = ParallelSpaces(self.envs[0])
        self.num_envs = num_envs
        self.device = torch.device(device)
        self._priority = priority_indices(self.game.agents, self.game.default_priority, num_envs, self.device)
        self._streams: Streams | None = None
        self._episode = torch.zeros(num_envs, dtype=torch.int64)
        n, width = self.game.n, self.game.action_width
        self._arrays: dict[str, NDArray[Any]] = {
            "observation": np.zeros((num_envs, n, *self.game.observation_space.shape), np.float32),
            "alive": np.zeros((num_envs, n), bool),
        }
        if self.game.discrete:
            self._arrays["action_mask"] = np.zeros((num_envs, n, width), bool)
        if self.game.state_space is not None:
            self._arrays["state"] = np.zeros((num_envs, *self.game.state_space.shape), np.float32)

    @property
    def priority(self) -> Tensor:
        return self._priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self._priority = priority_indices(self.agents, priority, self.num_envs, self.device)

    @property
    def episode_streams(self) -> Streams:
        return Streams(self._started().fold(-1, self._episode).keys.to(self.device))

    def neighbors(self) -> Tensor:
        graphs = [env.neighbors() for env in self.envs if isinstance(env, PriorityParallelEnv)]
        if not graphs:
            return fully_connected(self.game.n, self.num_envs, self.device)
        return torch.as_tensor(np.stack(graphs), device=self.device)

    def reset(
        self, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        if options and "priority" in options:
            self.priority = options["priority"]
        if seed is not None or self._streams is None:
            self._streams = Streams.from_seeds(seed_tensor(seed, self.num_envs).cpu())
            self._episode = torch.zeros_like(self._episode)
        else:
            self._episode = self._episode + 1
        for index in range(self.num_envs):
            self._restart(index)
        return self._observations(), {}

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        table = actions.cpu().numpy()
        rewards = np.zeros((self.num_envs, self.game.n), np.float32)
        ended = np.zeros((2, self.num_envs), bool)
        metrics: list[dict[str, float]] = []
        for index, env in enumerate(self.envs):
            ended[:, index], found = self._step(index, env, table[index], rewards[index])
            metrics.append(found)
        final = observations = self._observations()
        terminated, truncated = torch.as_tensor(ended, device=self.device)
        over = np.flatnonzero(ended.any(axis=0)).tolist()
        if len(over):
            self._episode[over] += 1
            for index in over:
                self._restart(index)
            observations = self._observations()
        info = {"final": final, "metrics": self._stack(metrics)}
        return observations, torch.as_tensor(rewards, device=self.device), terminated, truncated, info

    def snapshot(self) -> dict[str, Tensor]:
        return {"keys": self._started().keys, "episode": self._episode, "priority": self._priority}

    def restore(self, snapshot: dict[str, Tensor]) -> Observations:
        self._streams, self._episode = Streams(snapshot["keys"].cpu()), snapshot["episode"].cpu()
        self.priority = snapshot["priority"]
        return self.reset()[0]

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()

    def _started(self) -> Streams:
        if self._streams is None:
            raise InvalidArgumentError("the environment has not been started; call reset() first")
        return self._streams

    def _restart(self, index: int) -> None:
        """Begin the present episode of an environment."""
        key = self._started().fold(self._episode).keys[index]
        observations, infos = self.envs[index].reset(seed=int(key) % ENGINE_SEEDS)
        self._see(index, observations, infos)

    def _step(
        self, index: int, env: ParallelEnv[str, Any, Any], actions: NDArray[Any], rewards: NDArray[np.float32]
    ) -> tuple[tuple[bool, bool], dict[str, float]]:
        """One joint step of one environment; whether it is terminated and truncated, and its metrics."""
        living = [agent for agent in self.agents if agent in env.agents]
        numbers = {agent: self.agents.index(agent) for agent in living}
        chosen = {agent: self.game.engine_action(i, actions[i]) for agent, i in numbers.items()}
        observations, paid, terminations, truncations, infos = env.step(chosen)
        for agent, i in numbers.items():
            rewards[i] = paid.get(agent, 0.0)
        over = not env.agents
        # The last observation still counts: a truncated episode bootstraps from it.
        left = set(living) if over else {agent for agent in living if agent in env.agents}
        self._see(index, {agent: seen for agent, seen in observations.items() if agent in left}, infos)
        truncated = over and all(truncations[a] and not terminations[a] for a in living)
        told = infos.get(living[0], {}) if isinstance(env, PriorityParallelEnv) else {}
        metrics = {name: value for name, value in told.items() if isinstance(value, float)}
        return (over and not truncated, truncated), metrics

    def _stack(self, metrics: list[dict[str, float]]) -> dict[str, Tensor]:
        """Metrics that all environments have, float32 (B,) each."""
        names = [name for name in metrics[0] if all(name in found for found in metrics)]
        return {
            name: torch.tensor([found[name] for found in metrics], dtype=torch.float32, device=self.device)
            for name in names
        }

    def _see(self, index: int, observations: dict[str, Any], infos: dict[str, dict[str, Any]]) -> None:
        """Write what the agents of one environment see into the arrays."""
        for name, array in self._arrays.items():
            array[index] = name == "action_mask"
        for i, agent in enumerate(self.agents):
            if agent in observations:
                self._arrays["observation"][index, i] = self.game.own(i, observations[agent])
                self._arrays["alive"][index, i] = True
                if self.game.discrete:
                    self._arrays["action_mask"][index, i] = self.game.legal(
                        i, observations[agent], infos.get(agent, {})
                    )
        if self.game.state_space is not None:
            self._arrays["state"][index] = np.asarray(self.envs[index].state(), np.float32).reshape(-1)

    def _observations(self) -> Observations:
        return {
            name: torch.as_tensor(array.copy(), device=self.device) for name, array in self._arrays.items()
        }
