"""Rollouts of a population: T timesteps of K runs with B environments each.

The way from an observation to a batch, in the order of `Collector.collect`:

1. `lanes_of`: the environments in parts that need not wait for each other; one where they step at once.
2. `play`: in each lane, timestep by timestep, `Lane.decide` asks the policies and has the environments begin
   to step, and `Lane.see` takes what came of it.
3. `joined_columns`: what all lanes kept, by name, (K, T, B, ...).
4. `Collector._exchanged`: rewards become what agents learn from.
5. `Collector._batch`: advantages and returns, and all timesteps as rows (K, B * T, ...).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from baselines.networks.policy import Inputs
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.advantages import generalized_advantages
from baselines.training.episode_returns import EpisodeReturns
from baselines.training.interaction import RewardInteraction
from baselines.training.lane import Present, TimestepNoise
from baselines.training.lanes import joined, joined_columns, joined_inputs, lanes_of, play
from baselines.training.population import Population
from baselines.training.recorded_lane import Timestep
from stmg_envs.protocol import Captured, GameVectorEnv, JointVectorEnv, Observations, Streams, nested

FINAL_DECISIONS = -1
"""Purpose of the streams of decisions that truncated agents would have made."""


@nested
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

    Attributes:
        paid: original rewards of the last rollout, (K, N, n).
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
        self.paid = torch.empty(0)
        self.returns = EpisodeReturns(env, population.size)
        self.memory = population.no_memory(self.num_envs, len(env.agents)).flatten(0, 1)
        self.fresh = torch.ones(env.num_envs, len(env.agents), dtype=torch.bool, device=env.device)
        self._timestep = (
            Timestep(env, population, interaction.exchanges) if type(env) is GameVectorEnv else None
        )
        self._noises = Captured(self._noises_of, env.device)
        self._digest = Captured(self._digested, env.device)

    def quantities(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Whose decisions count, bool (K, N, n), and numbers of them that must be finite."""
        return batch.alive, {
            "observation": batch.inputs["observation"],
            "reward": self.paid,
            "value": batch.values,
            "log_prob": batch.log_probs,
            # Value statistics are of squares.
            "squared_return": batch.returns.square(),
        }

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
        present = Present(self.observations, self.memory, self.fresh)
        lanes = lanes_of(self.env, self.population, present, self.interaction.exchanges, self._timestep)
        last_values = play(lanes, self.rollout_steps, *self._timestep_noises(streams))
        present = joined([lane.present for lane in lanes])
        self.observations, self.memory, self.fresh = present.observations, present.memory, present.fresh
        batch, metrics, self.paid, statistics = self._digest(
            self._statistics(), joined_inputs(lanes), joined_columns(lanes), last_values
        )
        self._put(statistics)
        return batch, metrics

    def _timestep_noises(self, streams: Streams) -> tuple[TimestepNoise, TimestepNoise]:
        """Noise of decisions, and of those that agents who are cut off would have made."""
        if self._noises.records:
            noise, final_noise = self._noises(streams.keys)
            return noise.__getitem__, final_noise.__getitem__
        drawn = self.noise(streams, self.rollout_steps + 1, self.num_envs)
        return lambda timestep: drawn[:, timestep], functools.cache(partial(self._final_noise, streams))

    def _noises_of(self, keys: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Both noises of all timesteps, drawn from streams of these keys."""
        drawn = self.noise(Streams(keys), self.rollout_steps + 1, self.num_envs)
        finals = [self._final_noise(Streams(keys), timestep) for timestep in range(self.rollout_steps)]
        return list(drawn.unbind(dim=1)), finals

    def _final_noise(self, streams: Streams, timestep: int) -> Tensor:
        return self.noise(streams.fold(FINAL_DECISIONS, timestep), self.num_envs)

    def _statistics(self) -> dict[str, Tensor]:
        """What changes from rollout to rollout of what batches are made with."""
        episodes = {"returns": self.returns.partial, "averages": self.interaction.averages}
        return episodes | self.normalizer.state()

    def _put(self, statistics: dict[str, Tensor]) -> None:
        """Go on with what `_statistics` gave."""
        self.returns.partial, self.interaction.averages = statistics["returns"], statistics["averages"]
        self.normalizer.load(statistics)

    def _digested(
        self, statistics: dict[str, Tensor], inputs: Inputs, columns: dict[str, Tensor], last_values: Tensor
    ) -> tuple[Batch, dict[str, Tensor], Tensor, dict[str, Tensor]]:
        """What comes of a rollout.

        Args:
            statistics: what `_statistics` gave.
            inputs: of all timesteps, (K, B, T, ...).
            columns: of all timesteps, (K, T, B, ...).
            last_values: (K, B, n).

        Returns:
            The batch, metrics, original rewards, and the statistics then.
        """
        self._put(statistics)
        self.returns.forget()
        inputs = dict(inputs)
        alive = inputs.pop("alive").transpose(1, 2)
        paid = _rows(columns["rewards"])
        for t in range(self.rollout_steps):
            self.returns.add(*(columns[name][:, t].flatten(0, 1) for name in ("rewards", "done", "lost")))
        rewards, conflict_rate = self._exchanged(columns | {"alive": alive})
        metrics = self.returns.take()
        if self.interaction.exchanges:
            metrics["conflict_rate"] = conflict_rate
        batch = self._batch(inputs, columns | {"alive": alive, "rewards": rewards}, last_values)
        return batch, metrics, paid, self._statistics()

    def _exchanged(self, columns: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Rewards (K, T, B, n) as agents learn from them, and the rate of conflicts (K,)."""
        rewards = columns["rewards"]
        if not self.interaction.looks_back:
            seen, conflicts = self.interaction.seen(
                rewards.flatten(1, 2), None, columns["alive"].flatten(1, 2)
            )
            return seen.view_as(rewards), conflicts.float().mean(dim=(1, 2))
        exchanged, rates = [], []
        for t in range(self.rollout_steps):
            paid, lost, alive = (columns[name][:, t].flatten(0, 1) for name in ("rewards", "lost", "alive"))
            graphs = columns["neighbors"][:, t].flatten(0, 1) if self.interaction.exchanges else None
            exchanged.append(self.interaction(paid, graphs, lost, alive).view_as(rewards[:, t]))
            rates.append(self.interaction.conflict_rate)
        return torch.stack(exchanged, dim=1), torch.stack(rates).mean(dim=0)

    def _batch(self, inputs: Inputs, columns: dict[str, Tensor], last_values: Tensor) -> Batch:
        """The batch of inputs (K, B, T, ...), columns (K, T, B, ...) and the bootstrap values (K, B, n)."""
        shape = columns["values"].shape
        values = self._denormalize(columns["values"])
        following = torch.cat([values[:, 1:], self._denormalize(last_values.unsqueeze(1))], dim=1)
        following = torch.where(columns["truncated"], self._denormalize(columns["final_values"]), following)
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
        return Batch(
            inputs={name: value.flatten(1, 2) for name, value in inputs.items()},
            actions=_rows(columns["actions"]),
            log_probs=_rows(columns["log_probs"]),
            values=_rows(columns["values"]),
            advantages=advantages,
            returns=returns,
            alive=_rows(columns["alive"] & ~columns["lost"].unsqueeze(-1)),
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
