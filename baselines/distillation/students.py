"""The row that makes students a policy like any other: to be loaded, evaluated and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from baselines.algorithms.learner import Learner
from baselines.algorithms.spec import AlgorithmSpec
from baselines.distillation.config import DistillationConfig
from baselines.distillation.learner import Distillation
from baselines.errors import PairingError
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.students import Students
from baselines.training.population import Population


def build_students(config: DistillationConfig, spec: PolicySpec) -> JointPolicy:
    """The networks of a configuration."""
    return Students(spec, (config.hidden_size,) * config.hidden_layers)


def _without_teachers(config: Any, students: Population, n: int) -> Learner:
    raise PairingError("students learn from a teacher and not from rewards; use stmg distill RUN_DIR")


STUDENTS = AlgorithmSpec(
    name="students",
    summary="Agents that decide on their own observations, distilled from a trained joint policy",
    config_class=DistillationConfig,
    build=build_students,
    learner=_without_teachers,
    sequential=False,
)
"""Not among the algorithms to train, as rewards teach students nothing."""


def students_of(teachers: Population) -> AlgorithmSpec:
    """The row of students that learn from these teachers, one set of students from each."""

    def learner(config: Any, students: Population, n: int) -> Learner:
        return Distillation(config, students, teachers)

    return replace(STUDENTS, learner=learner)
