"""Learning from replay: what deep Q-learning and deterministic policy gradients share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from baselines.algorithms.config import TrainingConfig
from baselines.algorithms.learner import reward_interaction
from baselines.training.checkpoint import prefixed, under
from baselines.training.gradients import GradientStep, Losses, average
from baselines.training.interaction import RewardInteraction
from baselines.training.optimizer import FusedAdam
from baselines.training.population import Parameters, Population
from baselines.training.replay import ReplayBuffer, ReplayCollector, Rows
from baselines.training.rollout import Noise
from stmg_envs.protocol import JointVectorEnv, Streams


@dataclass(frozen=True)
class OffPolicyConfig(TrainingConfig):
    """Fields of every learner that replays past timesteps."""

    PRESETS: ClassVar[str] = "off_policy"
    num_envs: Annotated[int, Field(gt=0, description="parallel environments per run")] = 8
    rollout_steps: Annotated[int, Field(gt=0, description="steps of each environment per update")] = 5
    average_reward: Annotated[
        bool, Field(description="learn rewards above the average reward, as DRI's paper does")
    ] = True
    buffer_size: Annotated[int, Field(gt=0, description="timesteps kept per run")] = 10_000
    batch_size: Annotated[int, Field(gt=0, description="timesteps per gradient step")] = 64
    warmup_steps: Annotated[int, Field(ge=0, description="timesteps before the first gradient step")] = 200
    gradient_steps: Annotated[int, Field(gt=0, description="gradient steps per update")] = 5
    exploration_start: Annotated[float, Field(ge=0, description="exploration at the start")] = 1.0
    exploration_end: Annotated[float, Field(ge=0, description="exploration after annealing")] = 0.1
    exploration_anneal: Annotated[
        float, Field(gt=0, le=1, description="share of training over which exploration anneals")
    ] = 0.5
    target_rate: Annotated[
        float, Field(gt=0, le=1, description="share of the way the target networks go per gradient step")
    ] = 0.01
    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 64
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2
    central_critic: Annotated[bool, Field(description="the critic sees the whole state")] = False


class OffPolicy(ABC):
    """One Adam over all parameters of a population, and slowly following target networks.

    Args:
        config: the configuration.
        population: K policies.
        n: number of agents.
    """

    def __init__(self, config: OffPolicyConfig, population: Population, n: int) -> None:
        self.config = config
        self.population = population
        parameters = population.parameters
        self._interaction: RewardInteraction
        self.targets: Parameters = {name: p.detach().clone() for name, p in parameters.items()}
        self.optimizer = FusedAdam(parameters, config.learning_rate)
        self._gradient_step = GradientStep(self._of_runs, config.max_grad_norm, population.device)

    @property
    def gamma(self) -> float:
        """Discount of values: none for rewards above the average."""
        return 1.0 if self.config.average_reward else self.config.gamma

    def collector(self, env: JointVectorEnv, noise: Noise) -> ReplayCollector:
        """What fills the replay buffer."""
        config = self.config
        self._interaction = reward_interaction(config, env, self.population.size)
        exploration = (config.exploration_start, config.exploration_end, config.exploration_anneal)
        return ReplayCollector(
            env,
            self.population,
            noise,
            self._interaction,
            config.rollout_steps,
            config.buffer_size,
            exploration,
        )

    def update(self, batch: ReplayBuffer, progress: float, streams: Streams) -> dict[str, Tensor]:
        """Gradient steps on samples of the buffer.

        Args:
            batch: the buffer.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,): means over the gradient steps; NaN before the first.
        """
        if batch.added < self.config.warmup_steps:
            unknown = torch.full((self.population.size,), torch.nan, device=self.population.device)
            return dict.fromkeys((*self.metrics, "grad_norm"), unknown)
        self.optimizer.learning_rate = self.config.learning_rate_at(progress)
        steps = []
        for _ in range(self.config.gradient_steps):
            steps.append(self._step(batch.sample(self.config.batch_size, streams), streams))
        return average(steps)

    metrics: tuple[str, ...]
    """Names of the loss's metrics."""

    def _step(self, rows: Rows, streams: Streams) -> dict[str, Tensor]:
        # What was paid long ago is seen beside the averages of today.
        rewards, _ = self._interaction.seen(rows["rewards"], rows.get("neighbors"), rows["alive"])
        rows = rows | self._noise(rows, streams) | {"rewards": rewards}

        together = self.population.together(self.config.batch_size)
        metrics = self._gradient_step(self.optimizer, together, self.targets, rows)
        with torch.no_grad():
            for name, p in self.population.parameters.items():
                self.targets[name].lerp_(p, self.config.target_rate)
        return metrics

    def _of_runs(self, parameters: Parameters, runs: slice, targets: Parameters, rows: Rows) -> Losses:
        """Losses of some runs, with the target networks and rows of all."""
        own_targets, own_rows = ({name: x[runs] for name, x in table.items()} for table in (targets, rows))
        return self._loss(parameters, own_targets, own_rows)

    def _noise(self, rows: Rows, streams: Streams) -> Rows:
        """Randomness that the loss needs, as further rows; none by default."""
        return {}

    @abstractmethod
    def _loss(
        self, parameters: Parameters, targets: Parameters, rows: Rows
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Losses of some runs, (k,), and their parts.

        Args:
            parameters: of the runs' networks.
            targets: of their target networks.
            rows: timesteps, (k, M, ...).
        """

    def state(self) -> dict[str, Tensor]:
        """Parameters, target networks and optimiser moments by name."""
        tensors = prefixed("policy.", self.population.parameters) | prefixed("target.", self.targets)
        return tensors | prefixed("optimizer.", self.optimizer.state())

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.population.load(under("policy.", tensors))
        for name, p in under("target.", tensors).items():
            self.targets[name].copy_(p)
        self.optimizer.load(under("optimizer.", tensors))
