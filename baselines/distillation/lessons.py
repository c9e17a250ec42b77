"""What students learn from: states that the teacher or they come to, and what the teacher does there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from baselines.distillation.config import DistillationConfig
from baselines.distillation.teacher import Teacher
from baselines.networks.policy import Inputs
from baselines.training.optimizer import annealed
from baselines.training.population import Population, policy_inputs
from baselines.training.rollout import Noise, rows_of
from stmg_envs.protocol import JointVectorEnv, Observations, Streams, nested

SEEN = ("observation", "action_mask")
"""What of a policy's inputs reaches students."""


@nested
@dataclass(frozen=True)
class Lessons:
    """Decisions of the teacher, with leading axes (K, N).

    Attributes:
        inputs: what students see.
        actions: the teacher's, (K, N, n[, action_dim]).
        log_probs: the teacher's of them, (K, N, n).
        alive: agents that decide, bool (K, N, n).
        by_teacher: whether the teacher played on from there, and not the students, bool (K, N).
    """

    inputs: Inputs
    actions: Tensor
    log_probs: Tensor
    alive: Tensor
    by_teacher: Tensor

    def take(self, runs: slice, rows: Tensor) -> Lessons:
        """Some runs, and of each its samples by indices (K, M)."""
        return join_lessons([self], lambda parts: rows_of(parts[0][runs], rows[runs]))


def join_lessons(parts: Sequence[Lessons], join: Callable[[list[Tensor]], Tensor]) -> Lessons:
    """Lessons whose every tensor is joined from those of the parts."""
    inputs = {name: join([part.inputs[name] for part in parts]) for name in parts[0].inputs}
    names = [name for name in vars(parts[0]) if name != "inputs"]
    return Lessons(inputs, **{name: join([getattr(part, name) for part in parts]) for name in names})


class LessonCollector:
    """Plays on, here by the teacher and there by the students, and asks the teacher everywhere.

    Args:
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        students: K policies.
        teachers: K policies, those that the students learn from.
        noise: makes the decisions' noise.
        config: the configuration.
    """

    def __init__(
        self,
        env: JointVectorEnv,
        students: Population,
        teachers: Population,
        noise: Noise,
        config: DistillationConfig,
    ) -> None:
        self.env = env
        self.students = students
        self.noise = noise
        self.config = config
        self.batch = env.num_envs // students.size
        self.teacher = Teacher(teachers, self.batch, len(env.agents))
        self.observations: Observations = {}

    def quantities(self, batch: Lessons) -> tuple[Tensor, dict[str, Tensor]]:
        """Whose decisions count, bool (K, N, n), and numbers of them that must be finite."""
        return batch.alive, {"observation": batch.inputs["observation"], "log_prob": batch.log_probs}

    def carried(self) -> dict[str, Tensor]:
        """What goes on from one collection to the next besides the environments."""
        return {"memory": self.teacher.memory}

    def restore(self, observations: Observations, carried: dict[str, Tensor]) -> None:
        """Go on from observations and from what `carried` gave, unless episodes had to begin anew."""
        self.observations = observations
        if self.env.keeps_episodes:
            self.teacher.memory = carried["memory"].to(self.env.device)

    def collect(self, streams: Streams, progress: float) -> tuple[Lessons, dict[str, Tensor]]:
        """As many timesteps as a rollout has.

        Args:
            streams: randomness, K streams.
            progress: share of training done, in [0, 1].

        Returns:
            The lessons, and `teacher_share` (K,), the share of them where the teacher played.
        """
        config, runs = self.config, self.students.size
        share = annealed(
            config.teacher_share_start, config.teacher_share_end, config.teacher_share_anneal, progress
        )
        first = torch.arange(self.batch, device=self.env.device) < round(share * self.batch)
        taught = first.expand(runs, -1)
        noise = self.noise(streams, config.rollout_steps, 2, self.batch)
        steps = [self._step(taught, noise[:, t, 0], noise[:, t, 1]) for t in range(config.rollout_steps)]
        lessons = join_lessons(steps, lambda parts: torch.cat(parts, dim=1))
        return lessons, {"teacher_share": lessons.by_teacher.float().mean(dim=1)}

    def _step(self, taught: Tensor, teacher_noise: Tensor, student_noise: Tensor) -> Lessons:
        """One timestep: lessons (K, B) where it began.

        Args:
            taught: environments where the teacher plays, bool (K, B).
            teacher_noise: of the teacher's decisions, (K, B, n, action_width).
            student_noise: of the students', of the same shape.
        """
        inputs = policy_inputs(self.observations, self.env.priority, self.students.size)
        seen = {name: inputs[name] for name in SEEN if name in inputs}
        shown = self.teacher.decide(inputs, teacher_noise)
        tried = self.students.act(seen, student_noise).actions
        where = taught.view(*taught.shape, *([1] * (tried.dim() - 2)))
        joint = torch.where(where, shown.actions, tried).flatten(0, 1)
        self.observations, *_, info = self.env.step(joint)
        ended = (info["terminations"] | info["truncations"]).view_as(inputs["alive"])
        self.teacher.forget(ended | ~inputs["alive"])
        return Lessons(seen, shown.actions, shown.log_probs, inputs["alive"], taught)
