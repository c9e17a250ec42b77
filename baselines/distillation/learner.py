"""Students learn from their teachers: the update."""

from __future__ import annotations

from torch import Tensor

from baselines.distillation.config import DistillationConfig
from baselines.distillation.lessons import LessonCollector, Lessons
from baselines.distillation.loss import distillation_loss
from baselines.training.checkpoint import prefixed, under
from baselines.training.gradients import GradientStep, Losses, average
from baselines.training.optimizer import FusedAdam
from baselines.training.population import Parameters, Population
from baselines.training.rollout import Noise
from stmg_envs.protocol import JointVectorEnv, Streams


class Distillation:
    """One Adam over the parameters of all students.

    Args:
        config: the configuration.
        students: K policies.
        teachers: K policies, those that the students learn from.
    """

    def __init__(self, config: DistillationConfig, students: Population, teachers: Population) -> None:
        self.config = config
        self.students = students
        self.teachers = teachers
        self.optimizer = FusedAdam(students.parameters, config.learning_rate)
        self._gradient_step = GradientStep(self._loss, config.max_grad_norm, students.device)

    def collector(self, env: JointVectorEnv, noise: Noise) -> LessonCollector:
        """What gives the lessons to update on."""
        return LessonCollector(env, self.students, self.teachers, noise, self.config)

    def update(self, batch: Lessons, progress: float, streams: Streams) -> dict[str, Tensor]:
        """All passes over one rollout's lessons.

        Args:
            batch: the lessons.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,): means over the gradient steps.
        """
        config = self.config
        self.optimizer.learning_rate = config.learning_rate_at(progress)
        steps = []
        for _ in range(config.epochs):
            order = streams.permutation(batch.log_probs.shape[1])
            steps += [self._step(batch, rows) for rows in order.chunk(config.minibatches, dim=1)]
        return average(steps)

    def _step(self, lessons: Lessons, rows: Tensor) -> dict[str, Tensor]:
        """One gradient step on samples (K, M)."""
        together = self.students.together(rows.shape[1])
        return self._gradient_step(self.optimizer, together, lessons, rows)

    def _loss(self, parameters: Parameters, runs: slice, lessons: Lessons, rows: Tensor) -> Losses:
        """Losses of some runs on samples (K, M) of all runs' lessons."""
        part = lessons.take(runs, rows)
        found = self.students.evaluate(part.inputs, part.actions, parameters)
        return distillation_loss(
            found.log_probs, part.log_probs, found.entropies, part.alive, self.config.entropy_coef
        )

    def state(self) -> dict[str, Tensor]:
        """Parameters and optimiser moments by name."""
        policies = prefixed("policy.", self.students.parameters)
        return policies | prefixed("optimizer.", self.optimizer.state())

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.students.load(under("policy.", tensors))
        self.optimizer.load(under("optimizer.", tensors))
