"""Priority orders: fixed, random per episode, or computed from what agents observe.

A rule is written once, for batches; `WithPriority` applies it to any PettingZoo parallel environment
and `PriorityVectorEnv` to a tensor batch.
"""

from __future__ import annotations

import operator
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import flatten
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.arguments import require_table, shown
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError
from stmg_envs.protocol import (
    JointVectorEnv,
    Observations,
    PriorityParallelEnv,
    Streams,
    all_agents,
    check_priority,
    checked_reset,
    checked_step,
    fully_connected,
    living_agents,
    priority_indices,
    seed_tensor,
)


class PriorityRule(ABC):
    """An order of decision for every environment of a batch.

    Attributes:
        per_timestep: whether the order is computed anew at every timestep, or once per episode.
    """

    per_timestep: bool

    @abstractmethod
    def __call__(self, observations: Tensor, streams: Streams) -> Tensor:
        """Agent indices in order of decision, LongTensor (B, n).

        Args:
            observations: own observations, float (B, n, obs_dim).
            streams: randomness of the episodes, B streams.
        """


class _Fixed(PriorityRule):
    per_timestep = False

    def __init__(self, order: Sequence[int]) -> None:
        try:
            indices = [operator.index(agent) for agent in order]
        except TypeError:
            indices = []
        if sorted(indices) != list(range(len(indices))) or not indices:
            raise InvalidPriorityError(
                f"order={shown(order)} is not a permutation of agents; expected indices, leader first"
            )
        self.order = torch.tensor(indices)

    def __call__(self, observations: Tensor, streams: Streams) -> Tensor:
        return self.order.to(observations.device).repeat(observations.shape[0], 1)


class _Random(PriorityRule):
    per_timestep = False

    def __call__(self, observations: Tensor, streams: Streams) -> Tensor:
        return streams.permutation(observations.shape[1])


class _ByScore(PriorityRule):
    per_timestep = True

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        if not callable(score):
            raise InvalidArgumentError(f"score={shown(score)} is no function; expected one of observations")
        self.score = score

    def __call__(self, observations: Tensor, streams: Streams) -> Tensor:
        return self.score(observations).argsort(dim=-1, descending=True, stable=True)


def fixed_order(order: Sequence[int]) -> PriorityRule:
    """The same order always, as agent indices.

    Raises:
        InvalidPriorityError: if they are no permutation.
    """
    return _Fixed(order)


def random_order() -> PriorityRule:
    """A uniformly random order for every episode."""
    return _Random()


def by_score(score: Callable[[Tensor], Tensor]) -> PriorityRule:
    """At every timestep the agent with the highest score decides first; ties go to the lower index.

    Args:
        score: maps own observations (B, n, obs_dim) to scores (B, n).
    """
    return _ByScore(score)


class WithPriority(PriorityParallelEnv):
    """Any PettingZoo parallel environment, with a priority.

    Spaces, steps and rewards are the environment's own, and so are graph, priority and global state where it
    or whatever it wraps has them; else the graph is fully connected. Observations that are no Box are
    flattened for the rule, which takes zeros for agents that have seen nothing in the episode.

    Args:
        env: the environment.
        order: agent names, first to decide first, or a rule; the environment's own order of
            agents by default.

    Raises:
        InvalidPriorityError: if the order is no permutation of the agents.
    """

    def __init__(
        self, env: ParallelEnv[str, Any, Any], order: Sequence[str] | PriorityRule | None = None
    ) -> None:
        _require_parallel(env)
        self.env = env
        self.metadata = dict(env.metadata)
        self.render_mode = getattr(env, "render_mode", None)
        self.possible_agents = list(all_agents(env))
        self.observation_spaces = {agent: env.observation_space(agent) for agent in self.possible_agents}
        self.action_spaces = {agent: env.action_space(agent) for agent in self.possible_agents}
        for space in (*self.observation_spaces.values(), *self.action_spaces.values()):
            if not isinstance(space, Space):
                raise InvalidArgumentError(
                    f"space={shown(space)} of {env} is none; expected one of Gymnasium"
                )
        self.state_space: Space[Any] | None = getattr(env, "state_space", None)
        self._rule = order if isinstance(order, PriorityRule) else None
        self._seed: int | None = None
        self._episode = 0
        self._observations: dict[str, Any] = {}
        self._priority = check_priority(self.possible_agents, getattr(env, "priority", self.possible_agents))
        if order is not None and self._rule is None:
            self._priority = check_priority(self.possible_agents, order)

    @property
    def agents(self) -> list[str]:  # type: ignore[override]
        return living_agents(self.env, self.possible_agents)

    @property
    def unwrapped(self) -> WithPriority:
        # The priority belongs to this object, so this is where unwrapping ends.
        return self

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        options = dict(require_table("options", options))
        if "priority" in options:
            self.priority = options.pop("priority")
        told = self.env.reset(seed=seed, options=options)
        observations, infos = checked_reset(self, told)
        if seed is not None or self._seed is None:
            self._seed = seed if seed is not None else secrets.randbits(31)
            self._episode = 0
        else:
            self._episode += 1
        self._observations = {}
        if self._rule is not None:
            self._apply(self._rule, observations)
        return observations, infos

    def step(self, actions: dict[str, Any]) -> Any:
        acting = self.agents
        result = checked_step(self, acting, self.env.step(actions))
        if self._rule is not None and self._rule.per_timestep and self.agents:
            self._apply(self._rule, result[0])
        return result

    def state(self) -> NDArray[Any]:
        return np.asarray(self.env.state())

    def neighbors(self) -> NDArray[np.bool_]:
        neighbors = getattr(self.env, "neighbors", None)
        if neighbors is None:
            return fully_connected(len(self.possible_agents), 1)[0].numpy().copy()
        return np.asarray(neighbors(), dtype=bool)

    def render(self) -> Any:
        return self.env.render()

    def close(self) -> None:
        self.env.close()

    def _apply(self, rule: PriorityRule, observations: dict[str, Any]) -> None:
        # Who is out is judged by what it saw last in the episode.
        self._observations = {**self._observations, **observations}
        sizes = {agent: self._flat(agent, seen) for agent, seen in self._observations.items()}
        width = max(len(row) for row in sizes.values())
        table = torch.zeros(1, len(self.possible_agents), width)
        for agent, row in sizes.items():
            table[0, self.possible_agents.index(agent), : len(row)] = torch.as_tensor(
                row, dtype=torch.float32
            )
        streams = Streams.from_seeds(seed_tensor(self._seed, 1)).fold(-1, self._episode)
        order = priority_indices(self.possible_agents, rule(table, streams), 1, table.device)
        self._priority = tuple(self.possible_agents[index] for index in order[0].tolist())

    def _flat(self, agent: str, observation: Any) -> NDArray[Any]:
        return np.asarray(flatten(self.observation_spaces[agent], observation)).reshape(-1)


def _require_parallel(env: object) -> None:
    """Raise InvalidArgumentError for what has not even the names of a parallel environment."""
    names = ("metadata", "possible_agents", "observation_space", "action_space", "reset", "step")
    missing = [name for name in names if not hasattr(env, name)]
    if missing or isinstance(env, type):
        raise InvalidArgumentError(
            f"parallel_env={shown(env)} is no parallel environment of PettingZoo; expected an object with "
            f"{', '.join(missing or names)}"
        )


class PriorityVectorEnv:
    """A tensor batch whose priority follows a rule.

    It has the methods and attributes of the batch it wraps, but the priority can only be read.

    Args:
        env: the batch.
        rule: the rule.
    """

    def __init__(self, env: JointVectorEnv, rule: PriorityRule) -> None:
        self.env = env
        self.rule = rule

    def __getattr__(self, name: str) -> Any:
        if name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    @property
    def priority(self) -> Tensor:
        """Agent indices in order of decision, LongTensor (B, n)."""
        return self.env.priority

    def reset(
        self, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Like `JointVectorEnv.reset`, with the rule's order in force."""
        observations, info = self.env.reset(seed, options)
        self.env.priority = self._order(observations)
        return observations, info

    @property
    def lanes(self) -> tuple[PriorityVectorEnv]:
        """One: the rule is for the batch as a whole."""
        return (self,)

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """Like `JointVectorEnv.step`; the order is that of the timestep to come."""
        self.env.send(actions)
        return self.receive()

    def receive(self) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """Like `JointVectorEnv.receive`; the order is that of the timestep to come."""
        observations, rewards, terminated, truncated, info = self.env.receive()
        order = self._order(observations)
        if not self.rule.per_timestep:
            order = torch.where((terminated | truncated)[:, None], order, self.priority)
        self.env.priority = order
        return observations, rewards, terminated, truncated, info

    def _order(self, observations: Observations) -> Tensor:
        return self.rule(observations["observation"], self.env.episode_streams)
