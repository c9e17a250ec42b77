"""Policy gradients of joint policies on rollouts, for a population of runs at once.

Losses are means over samples and agents of one run, so that every run gets exactly its own gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from baselines.algorithms.config import OnPolicyConfig
from baselines.algorithms.learner import reward_interaction
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.checkpoint import prefixed, under
from baselines.training.gradients import GradientStep, Losses, average
from baselines.training.optimizer import FusedAdam, Optimizer, annealed
from baselines.training.population import Parameters, Population
from baselines.training.rollout import Batch, Collector, Noise, rows_of
from stmg_envs.protocol import JointVectorEnv, Streams, nested


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over samples and agents of each run: (K, N, n) to (K,)."""
    return torch.where(mask, x, 0.0).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1)


def normalize_per_agent(advantages: Tensor, alive: Tensor) -> Tensor:
    """Advantages with mean 0 and deviation 1 for each run and agent, (K, N, n).

    The authors' code normalises over agents together. Agents of one game have advantages on
    different scales: under Penalty(k=-10000) a leader that still explores would drown the
    follower's signal. So each has its own.
    """
    count = alive.sum(dim=1, keepdim=True).clamp(min=1)
    mean = torch.where(alive, advantages, 0.0).sum(dim=1, keepdim=True) / count
    centred = torch.where(alive, advantages - mean, 0.0)
    deviation = (centred.square().sum(dim=1, keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    return centred / (deviation + 1e-5)


@nested
@dataclass(frozen=True)
class Targets:
    """What an update aims at.

    Attributes:
        advantages: normalised, (K, N, n).
        values: returns in normalised units, (K, N, n).
        entropy_coef: weight of the entropy.
        learning_rate: step size.
    """

    advantages: Tensor
    values: Tensor
    entropy_coef: float
    learning_rate: float

    def take_rows(self, rows: Tensor | None) -> Self:
        """Of samples, by indices (K, M); all of them for None."""
        return self.map(lambda x: rows_of(x, rows))

    def take_runs(self, runs: slice) -> Self:
        """Of some runs."""
        return self.map(lambda x: x[runs])

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """With whatever there is of each sample changed alike."""
        changed: dict[str, Any] = {
            name: change(x) for name, x in vars(self).items() if isinstance(x, Tensor) and x.dim()
        }
        return replace(self, **changed)


Aim = TypeVar("Aim", bound=Targets)
DECISION = ("log_probs", "values", "advantages", "returns", "alive")
"""What a batch has of each decision besides inputs and actions."""


def one_agent(x: Tensor, agent: Tensor) -> Tensor:
    """Of x (K, N, n, ...) one agent's part, (K, N, 1, ...), by indices (K, N, 1)."""
    index = agent.view(*agent.shape, *([1] * (x.dim() - 3)))
    return x.gather(2, index.expand(*agent.shape, *x.shape[3:]))


def _of_runs(
    loss: Callable[[Parameters, Batch, Aim], Losses],
    parameters: Parameters,
    runs: slice,
    batch: Batch,
    targets: Aim,
) -> Losses:
    """The loss of some runs, of a batch and targets of all."""
    return loss(parameters, batch.take_runs(runs), targets.take_runs(runs))


class PolicyGradient(ABC):
    """Epochs of gradient steps over rollouts; one Adam over all parameters of a population by default.

    Args:
        config: the configuration.
        population: K policies.
        n: number of agents.
    """

    def __init__(self, config: OnPolicyConfig, population: Population, n: int) -> None:
        self.config = config
        self.population = population
        self.normalizer = ValueNormalizer(population.size, n, config.value_norm_beta, population.device)
        self.optimizers = self._start_optimizers()
        self._steps: dict[Callable[..., Losses], GradientStep] = {}

    def collector(self, env: JointVectorEnv, noise: Noise) -> Collector:
        """What gives the batches to update on."""
        config = self.config
        gamma = 1.0 if config.average_reward else config.gamma
        return Collector(
            env,
            self.population,
            self.normalizer,
            noise,
            reward_interaction(config, env, self.population.size),
            config.rollout_steps,
            gamma,
            config.gae_lambda,
        )

    def _start_optimizers(self) -> Mapping[str, Optimizer]:
        """The optimisers by the prefix of their names in checkpoints."""
        return {"": FusedAdam(self.population.parameters, self.config.learning_rate)}

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        """All epochs over one rollout.

        Args:
            batch: the rollout.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,): means over the epochs.
        """
        return self._descend(self.optimizers[""], self._loss, batch, self._prepare(batch, progress), streams)

    def _prepare(self, batch: Batch, progress: float) -> Targets:
        """What an update aims at, and its coefficients at this point of training."""
        config = self.config
        self.normalizer.update(batch.returns, batch.alive)
        return Targets(
            advantages=normalize_per_agent(batch.advantages, batch.alive),
            values=self.normalizer.normalize(batch.returns),
            entropy_coef=annealed(config.entropy_start, config.entropy_end, config.entropy_anneal, progress),
            learning_rate=config.learning_rate_at(progress),
        )

    def _descend(
        self,
        optimizer: Optimizer,
        loss: Callable[[Parameters, Batch, Aim], Losses],
        batch: Batch,
        targets: Aim,
        streams: Streams,
    ) -> dict[str, Tensor]:
        """All epochs of an optimiser's parameters on a loss of some runs; means of metrics over the steps."""
        optimizer.learning_rate = targets.learning_rate
        steps = []
        for _ in range(self.config.epochs):
            for rows in self._minibatches(batch.log_probs.shape[1], streams):
                steps.append(self._step(optimizer, loss, batch.take_rows(rows), targets.take_rows(rows)))
        return average(steps)

    def _minibatches(self, rows: int, streams: Streams) -> list[Tensor | None]:
        """Row indices (K, N / minibatches) of each minibatch; None is the whole batch."""
        if self.config.minibatches == 1:
            return [None]
        length = self.population.template.chunk_length
        parts = streams.permutation(rows // length)
        consecutive = parts[..., None] * length + torch.arange(length, device=parts.device)
        return [part.flatten(1) for part in consecutive.chunk(self.config.minibatches, dim=1)]

    def _step(
        self,
        optimizer: Optimizer,
        loss: Callable[[Parameters, Batch, Aim], Losses],
        batch: Batch,
        targets: Aim,
    ) -> dict[str, Tensor]:
        """One gradient step on a minibatch (K, N, ...)."""
        if loss not in self._steps:
            self._steps[loss] = GradientStep(
                partial(_of_runs, loss), self.config.max_grad_norm, self.population.device
            )
        return self._steps[loss](optimizer, self._together(batch.log_probs.shape[1]), batch, targets)

    def _together(self, rows: int) -> int:
        """How many runs are best mapped over together in a step on so many rows of each."""
        return self.population.together(rows)

    @abstractmethod
    def _loss(self, parameters: Parameters, batch: Batch, targets: Targets) -> Losses:
        """Losses of some runs, (k,), and their parts."""

    def state(self) -> dict[str, Tensor]:
        """Parameters, optimiser moments and value statistics by name."""
        tensors = prefixed("policy.", self.population.parameters)
        tensors |= prefixed("value_norm.", self.normalizer.state())
        for prefix, optimizer in self.optimizers.items():
            tensors |= prefixed(f"optimizer.{prefix}", optimizer.state())
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.population.load(under("policy.", tensors))
        self.normalizer.load(under("value_norm.", tensors))
        for prefix, optimizer in self.optimizers.items():
            optimizer.load(under(f"optimizer.{prefix}", tensors))
