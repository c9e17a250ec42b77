"""Where prey runs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stmg_envs.particle.fleeing import flee, headings
from stmg_envs.particle.physics import lengths


def push(prey: tuple[float, float], *predators: tuple[float, float]) -> Tensor:
    """The push of one prey that sees and looks ahead half a length, (2,)."""
    one, others = torch.tensor([[prey]]), torch.tensor([list(predators)])
    away = one[:, :, None] - others[:, None]
    return flee(one, others, away, lengths(away), 0.5, 1.0, 0.5 * headings())[0, 0]


def around(angle: float, distance: float = 0.3) -> tuple[float, float]:
    return distance * math.cos(angle), distance * math.sin(angle)


def test_straight_away_from_one() -> None:
    torch.testing.assert_close(push((0.0, 0.0), (-0.3, 0.0)), torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(push((0.0, 0.0), (0.0, 0.1)), torch.tensor([0.0, -1.0]), atol=1e-6, rtol=0)


def test_nothing_to_flee_from() -> None:
    assert not push((0.0, 0.0), (0.51, 0.0), (0.0, -0.6)).any()


def test_only_the_seen_count() -> None:
    assert torch.equal(push((0.0, 0.0), (-0.3, 0.0), (0.6, 0.0)), push((0.0, 0.0), (-0.3, 0.0)))


def test_strength_falls_as_it_is_surrounded() -> None:
    strengths = [
        push((0.0, 0.0), *predators).norm().item()
        for predators in (
            [around(0)],
            [around(0), around(math.pi / 3)],
            [around(0), around(math.pi / 2)],
            [around(0), around(2 * math.pi / 3)],
            [around(0), around(2 * math.pi / 3), around(-2 * math.pi / 3)],
        )
    ]
    # The squared mean of unit vectors.
    assert strengths == pytest.approx([1, 0.75, 0.5, 0.25, 0], abs=1e-6)


def test_out_of_a_corner_and_not_into_it() -> None:
    run = push((0.9, 0.9), (0.7, 0.8))
    assert run.norm().item() == pytest.approx(1)
    # Along the wall, on the side where the predator is farther from it.
    assert run[0] > 0 and run[1] < 0


def test_back_into_the_arena() -> None:
    assert push((1.2, 0.0), (1.2, 0.3))[0] < 0


def test_predator_in_the_same_place() -> None:
    assert push((0.2, 0.2), (0.2, 0.2)).isfinite().all()


@given(st.lists(st.tuples(*[st.floats(-1.5, 1.5)] * 2), min_size=4, max_size=4))
def test_a_push_has_at_most_length_one(places: list[tuple[float, float]]) -> None:
    force = push(*places)
    assert force.isfinite().all()
    assert lengths(force) <= 1 + 1e-5
