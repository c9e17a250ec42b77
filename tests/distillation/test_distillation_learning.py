"""Students come to do what their teacher does, where their own observations tell them enough."""

from __future__ import annotations

import torch
from games import Walk

from baselines.distillation.config import DistillationConfig
from baselines.distillation.learner import Distillation
from baselines.distillation.lessons import Lessons
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import PolicySpec
from baselines.networks.students import Students
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from stmg_envs.protocol import GameVectorEnv, Streams

RUNS, BATCH, UPDATES = 2, 32, 40


def test_continuous_actions_are_learned() -> None:
    spec = PolicySpec(3, 3, 9, 2, discrete=False, observation_norm=False)
    config = DistillationConfig(
        teacher="nowhere", num_envs=BATCH, rollout_steps=10, learning_rate=3e-3, observation_norm=False
    )
    teachers = Population(lambda: MLPPolicy(spec, (16,), shared=False, central=True), range(RUNS))
    torch.manual_seed(0)
    for p in teachers.parameters.values():
        # Far from the small outputs that policies start with.
        p.data.add_(0.5 * torch.randn_like(p))
    students = Population(lambda: Students(spec, (32,)), range(RUNS))
    learner = Distillation(config, students, teachers)
    collector = learner.collector(GameVectorEnv(Walk(), RUNS * BATCH), decision_noise(3, 2, discrete=False))
    collector.observations, _ = collector.env.reset(seed=0)
    streams = Streams.from_seeds(range(RUNS))

    def gap(lessons: Lessons) -> float:
        """Mean distance of the greedy actions of students and teachers, of those who decide."""
        rows = lessons.log_probs.shape[:2]
        inputs = lessons.inputs | {"state": torch.zeros(*rows, 9)}
        greedy = torch.zeros(*rows, 3, 2)
        apart = students.act(inputs, greedy).actions - teachers.act(inputs, greedy).actions
        return float(apart.norm(dim=-1)[lessons.alive].mean())

    gaps = []
    for update in range(UPDATES):
        lessons, _ = collector.collect(streams.fold(0, update), update / UPDATES)
        gaps.append(gap(lessons))
        learner.update(lessons, update / UPDATES, streams.fold(1, update))
    assert gaps[0] > 2.0
    # Of lessons that are new to the students.
    assert gaps[-1] < 0.2
