"""Rollouts of a population: T timesteps of K runs with B environments each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from baselines.networks.policy import Inputs
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.advantages import generalized_advantages
from baselines.training.episode_returns import EpisodeReturns
from baselines.training.interaction import RewardInteraction
from baselines.training.population import Population
from stmg_envs.protocol import JointVectorEnv, Observations, Streams


@dataclass(frozen=True)
class Batch:
    """A rollout as PPO takes it, with leading axes (K, N), N = B * T: rows of an environment stand together.

    Attributes:
        inputs: observations and priority.
        actions: (K, N, n[, action_dim]).
        log_probs: of the actions when they were taken, (K, N, n).
        values: in normalised units, (K, N, n).
        advantages: in units of rewards, (K, N, n).
        returns: in units of rewards, (K, N, n).
        alive: agents that decided and whose decisions came to something, bool (K, N, n).
    """

    inputs: Inputs
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    alive: Tensor

    def take_rows(self, rows: Tensor | None) -> Batch:
        """Samples by indices (K, M); all of them for None."""
        return self if rows is None else self._map(lambda x: rows_of(x, rows))

    def take_runs(self, runs: slice) -> Batch:
        """Some runs."""
        return self._map(lambda x: x[runs])

    def _map(self, change: Callable[[Tensor], Tensor]) -> Batch:
        tensors = {name: change(value) for name, value in vars(self).items() if name != "inputs"}
        return Batch(inputs={name: change(value) for name, value in self.inputs.items()}, **tensors)


def rows_of(x: Tensor, rows: Tensor | None) -> Tensor:
    """Rows (K, M) of x (K, N, ...); all of them for None."""
    if rows is None:
        return x
    index = rows.view(*rows.shape, *([1] * (x.dim() - 2)))
    return x.gather(1, index.expand(-1, -1, *x.shape[2:]))


class Noise(Protocol):
    """Gives decision noise (K, *shape, n, action_width)."""

    def __call__(self, streams: Streams, *shape: int) -> Tensor: ...


def policy_inputs(observations: Observations, priority: Tensor, runs: int) -> Inputs:
    """Observations (K * B, ...) and priority as policy inputs (K, B, ...)."""
    inputs = {**observations, "priority": priority}
    return {name: value.reshape(runs, -1, *value.shape[1:]) for name, value in inputs.items()}


class Collector:
    """Plays the population in its environments and turns what happened into batches.

    Args:
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        population: K policies.
        normalizer: of values.
        noise: makes the decisions' noise.
        interaction: makes of rewards what agents learn from.
        rollout_steps: T.
        gamma: discount per timestep.
        gae_lambda: lambda.
    """

    def __init__(
        self,
        env: JointVectorEnv,
        population: Population,
        normalizer: ValueNormalizer,
        noise: Noise,
        interaction: RewardInteraction,
        rollout_steps: int,
        gamma: float,
        gae_lambda: float,
    ) -> None:
        self.env = env
        self.population = population
        self.normalizer = normalizer
        self.noise = noise
        self.interaction = interaction
        self.rollout_steps = rollout_steps
        self.gamma = gamma
        self.gae_lambda = gae_lambda
        self.num_envs = env.num_envs // population.size
        self.observations: Observations = {}
        self.returns = EpisodeReturns(env, population.size)
        self.memory = population.no_memory(self.num_envs, len(env.agents)).flatten(0, 1)
        self.fresh = torch.ones(env.num_envs, dtype=torch.bool, device=env.device)
        self.none_lost = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)

    def carried(self) -> dict[str, Tensor]:
        """What goes on from one rollout to the next besides the environments."""
        episodes = {"returns": self.returns.partial, "memory": self.memory, "fresh": self.fresh}
        return episodes | {"averages": self.interaction.averages}

    def restore(self, observations: Observations, carried: dict[str, Tensor]) -> None:
        """Go on from observations and from what `carried` gave, unless episodes had to begin anew."""
        self.observations = observations
        self.interaction.averages = carried["averages"].to(self.env.device)
        if self.env.keeps_episodes:
            self.returns.partial, self.memory, self.fresh = (
                carried[name].to(self.env.device) for name in ("returns", "memory", "fresh")
            )

    def collect(self, streams: Streams, progress: float) -> tuple[Batch, dict[str, Tensor]]:
        """T timesteps.

        Args:
            streams: randomness of this rollout, K streams.
            progress: share of training done; how a policy explores does not depend on it.

        Returns:
            The batch, and metrics per run: `episode_return` (K,), mean over agents and over the
            episodes that ended (NaN where none did); `lost_episodes` (K,) where some can be lost;
            `conflict_rate` (K,) with DRI.
        """
        runs, steps = self.population.size, self.rollout_steps
        noise = self.noise(streams, steps + 1, self.num_envs)
        columns: dict[str, list[Tensor]] = {
            name: []
            for name in (
                "actions",
                "log_probs",
                "values",
                "rewards",
                "terminated",
                "truncated",
                "final_values",
                "lost",
            )
        }
        inputs: list[Inputs] = []
        conflicts = torch.zeros(runs, device=self.env.device)
        for t in range(steps):
            inputs.append(self._inputs(self.observations, self.env.priority))
            decision = self.population.act(inputs[-1], noise[:, t])
            neighbors = self.interaction.before_step()
            self.observations, rewards, terminated, truncated, info = self.env.step(
                decision.actions.flatten(0, 1)
            )
            done, lost = terminated | truncated, info.get("lost", self.none_lost)
            self.returns.add(rewards, done, lost)
            if decision.memory is not None:
                self.memory = decision.memory.flatten(0, 1)
            final_values = self._final_values(info, truncated, inputs[-1]["priority"], noise[:, t])
            self.memory, self.fresh = self.memory * ~done[:, None, None], done
            seen = self.interaction(rewards, neighbors, lost)
            conflicts += self.interaction.conflict_rate
            step = (*decision[:3], seen, terminated, truncated, final_values, lost)
            for column, value in zip(columns.values(), step, strict=True):
                column.append(value if value.shape[0] == runs else value.view(runs, -1, *value.shape[1:]))
        last = self.population.act(self._inputs(self.observations, self.env.priority), noise[:, steps]).values
        batch = self._batch(inputs, {k: torch.stack(v, dim=1) for k, v in columns.items()}, last)
        metrics = self.returns.take()
        if self.interaction.kind.startswith("dri"):
            metrics["conflict_rate"] = conflicts / steps
        return batch, metrics

    def _inputs(self, observations: Observations, priority: Tensor) -> Inputs:
        """Observations (K * B, ...), with what the policies remember, as inputs (K, B, ...)."""
        remembered = {}
        if self.memory.shape[-1]:
            remembered = {"memory": self.memory, "fresh": self.fresh}
        return policy_inputs(observations | remembered, priority, self.population.size)

    def _final_values(
        self, info: dict[str, Observations], truncated: Tensor, priority: Tensor, noise: Tensor
    ) -> Tensor:
        """Values (K, B, n) of the last observations of truncated episodes; zeros if there are none.

        The next joint action is sampled for the last observation, so that each agent's value is of
        its subgame state there. The order (K, B, n) is that of the episode that has ended.
        """
        runs = self.population.size
        if self.env.device.type == "cpu" and not bool(truncated.any()):
            return torch.zeros(runs, self.num_envs, len(self.env.agents))
        inputs = self._inputs(info["final"], priority.flatten(0, 1))
        return self.population.act(inputs, noise).values

    def _batch(self, inputs: list[Inputs], columns: dict[str, Tensor], last_values: Tensor) -> Batch:
        """Advantages and returns from columns (K, T, B, ...) and the bootstrap values (K, B, n)."""
        shape = columns["values"].shape
        values = self._denormalize(columns["values"])
        following = torch.cat([values[:, 1:], self._denormalize(last_values.unsqueeze(1))], dim=1)
        truncated = columns["truncated"].unsqueeze(-1)
        following = torch.where(truncated, self._denormalize(columns["final_values"]), following)
        estimates = generalized_advantages(
            _time_first(columns["rewards"]),
            _time_first(values),
            _time_first(following),
            _time_first(columns["terminated"]),
            _time_first(columns["truncated"]),
            self.gamma,
            self.gae_lambda,
            _time_first(columns["lost"]),
        )
        advantages, returns = (
            x.view(shape[1], shape[0], *shape[2:]).permute(1, 2, 0, 3).flatten(1, 2) for x in estimates
        )
        stacked = {name: torch.stack([i[name] for i in inputs], dim=2).flatten(1, 2) for name in inputs[0]}
        return Batch(
            inputs={name: value for name, value in stacked.items() if name != "alive"},
            actions=_rows(columns["actions"]),
            log_probs=_rows(columns["log_probs"]),
            values=_rows(columns["values"]),
            advantages=advantages,
            returns=returns,
            alive=stacked["alive"] & ~_rows(columns["lost"]).unsqueeze(-1),
        )

    def _denormalize(self, values: Tensor) -> Tensor:
        """Values (K, T, B, n) in units of rewards."""
        return self.normalizer.denormalize(values.flatten(1, 2)).view_as(values)


def _rows(x: Tensor) -> Tensor:
    """Columns (K, T, B, ...) as rows (K, B * T, ...)."""
    return x.transpose(1, 2).flatten(1, 2)


def _time_first(x: Tensor) -> Tensor:
    """Columns (K, T, B, ...) as (T, K * B, ...)."""
    return x.transpose(0, 1).flatten(1, 2)


def decision_noise(n: int, action_width: int, discrete: bool) -> Noise:
    """Noise of joint decisions: standard Gumbel for discrete actions, else standard normal."""

    def draw(streams: Streams, *shape: int) -> Tensor:
        sample = streams.gumbel if discrete else streams.normal
        return sample(*shape, n, action_width)

    return draw
