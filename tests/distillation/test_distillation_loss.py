"""The loss of students, by hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from baselines.distillation.loss import distillation_loss

ALL = torch.ones(1, 2, 2, dtype=torch.bool)


def table(*rows: list[float]) -> Tensor:
    """One run's samples (1, N, n)."""
    return torch.tensor([list(rows)])


def test_it_is_the_mean_root_minus_eta_times_the_entropy() -> None:
    students = table([-1.0, -4.0], [-2.0, -2.0])
    teacher = table([-4.0, 0.0], [-1.0, -1.0])
    entropies = table([0.5, 1.5], [1.0, 1.0])
    loss, parts = distillation_loss(students, teacher, entropies, ALL, entropy_coef=0.1)
    # Gaps (3, -4) and (-1, -1): sqrt((9 + 16) / 2) and sqrt((1 + 1) / 2).
    distance = (5 / math.sqrt(2) + 1) / 2
    torch.testing.assert_close(parts["distance"], torch.tensor([distance]))
    torch.testing.assert_close(parts["entropy"], torch.tensor([1.0]))
    torch.testing.assert_close(loss, torch.tensor([distance - 0.1]))


def test_agents_that_are_out_count_nowhere() -> None:
    students = table([-1.0, -9.0], [-5.0, -5.0])
    teacher = table([-3.0, 0.0], [0.0, 0.0])
    entropies = table([0.7, 100.0], [100.0, 100.0])
    alive = torch.tensor([[[True, False], [False, False]]])
    loss, parts = distillation_loss(students, teacher, entropies, alive, entropy_coef=1.0)
    # One agent decides in one sample, and its gap is 2.
    torch.testing.assert_close(parts["distance"], torch.tensor([2.0]))
    torch.testing.assert_close(loss, torch.tensor([2.0 - 0.7]))


def test_runs_have_losses_of_their_own() -> None:
    students, teacher = torch.zeros(2, 1, 1), torch.tensor([[[1.0]], [[-3.0]]])
    alive = torch.ones(2, 1, 1, dtype=torch.bool)
    loss, _ = distillation_loss(students, teacher, torch.zeros(2, 1, 1), alive, entropy_coef=0.1)
    assert loss.tolist() == [1.0, 3.0]


def test_students_that_equal_their_teacher_stay_as_they_are() -> None:
    students = torch.full((1, 2, 2), -0.5, requires_grad=True)
    loss, _ = distillation_loss(students, students.detach(), torch.zeros(1, 2, 2), ALL, entropy_coef=0.0)
    (gradient,) = torch.autograd.grad(loss.sum(), students)
    assert loss.item() == 0.0
    assert torch.equal(gradient, torch.zeros_like(gradient))
