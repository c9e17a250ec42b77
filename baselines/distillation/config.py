"""What can be set of a distillation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from baselines.algorithms.config import RunConfig


@dataclass(frozen=True)
class DistillationConfig(RunConfig):
    """Configuration of a distillation.

    The papers give the loss alone (see `baselines.distillation.loss`). Sizes of the students, the weight of
    the entropy and where the data come from are ours:

    - Students are as large as the actors of MAPPO, two layers of 64.
    - eta is small, as more of it keeps students from being as sure of themselves as their teacher is.
    - The teacher decides in a share of the environments and the students in the others; everywhere the
      teacher says what it would have done. The share falls linearly, so that students first learn where
      the teacher goes and then where their own mistakes lead (Ross et al. 2011, DAgger). Nothing is
      aggregated over updates, as the teacher is asked anew in states as fresh as the students.
    - Both play as they were trained, by chance. Only evaluations are greedy.
    """

    total_steps: Annotated[int, Field(gt=0, description="environment steps per run")] = 400_000
    num_envs: Annotated[int, Field(gt=0, description="parallel environments per run")] = 64
    rollout_steps: Annotated[int, Field(gt=0, description="steps of each environment per update")] = 32
    learning_rate: Annotated[float, Field(gt=0, description="Adam's step size at the start")] = 1e-3
    learning_rate_decay: Annotated[
        float, Field(ge=0, le=1, description="share of the step size lost by the end, linearly")
    ] = 1.0
    eval_interval: Annotated[int, Field(gt=0, description="environment steps between evaluations")] = 50_000
    epochs: Annotated[int, Field(gt=0, description="passes over a rollout per update")] = 2
    minibatches: Annotated[int, Field(gt=0, description="parts of a rollout per pass")] = 8
    entropy_coef: Annotated[float, Field(ge=0, description="eta, the weight of the students' entropy")] = 1e-3
    teacher_share_start: Annotated[
        float, Field(ge=0, le=1, description="share of environments the teacher plays in at the start")
    ] = 1.0
    teacher_share_end: Annotated[
        float, Field(ge=0, le=1, description="share of environments the teacher plays in after annealing")
    ] = 0.25
    teacher_share_anneal: Annotated[
        float, Field(gt=0, le=1, description="share of training over which the teacher's share anneals")
    ] = 0.5
    hidden_size: Annotated[int, Field(gt=0, description="size of the students' hidden layers")] = 64
    hidden_layers: Annotated[int, Field(gt=0, description="number of the students' hidden layers")] = 2
    teacher: Annotated[str, Field(description="run directory of the teacher")] = field(kw_only=True)
