"""Reward interaction of populations: every run has its own averages, and learners see what the kind says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import baselines
import stmg_envs
from baselines.training.interaction import RewardInteraction
from stmg_envs.protocol import fully_connected

REWARDS = torch.tensor([[18.0, 0.0], [10.0, 10.0], [2.0, 2.0], [0.0, 18.0]])
"""Two runs of two environments each."""
NONE_LOST = torch.zeros(4, dtype=torch.bool)
GRAPHS = fully_connected(2, 4)


def interaction(kind: str, differential: bool = False) -> RewardInteraction:
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    env.reset(seed=0)
    made = RewardInteraction(kind, env, runs=2, step_size=0.5, differential=differential)  # type: ignore[arg-type]
    made.averages = torch.tensor([[10.0, 10.0], [4.0, 2.0]])
    return made


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("own", [[18, 0], [10, 10], [2, 2], [0, 18]]),
        ("sum", [[18, 18], [20, 20], [4, 4], [18, 18]]),
        # Baselines are 10 and 3.
        ("dri", [[9, 9], [10, 10], [2, 2], [9, 9]]),
        ("dri-naive", [[9, 9], [10, 10], [2, 2], [9, 9]]),
    ],
)
def test_what_learners_see(kind: str, expected: list[list[float]]) -> None:
    made = interaction(kind)
    graphs = GRAPHS if made.exchanges else None
    assert made(REWARDS, graphs, NONE_LOST).tolist() == expected
    assert made.averages.tolist() == [[12, 7.5], [2.5, 6]]


def test_a_reward_that_nobody_knows_moves_no_average() -> None:
    made = interaction("own")
    made(REWARDS, None, torch.tensor([False, True, True, True]))
    # (18 + 10) / 2 = 14 and (0 + 10) / 2 = 5 half-way from 10; the second run learns nothing.
    assert made.averages.tolist() == [[12, 7.5], [4, 2]]


def test_differential_rewards_are_above_the_average() -> None:
    made = interaction("dri", differential=True)
    assert made(REWARDS, GRAPHS, NONE_LOST).tolist() == [[-1, -1], [0, 0], [-1, -1], [6, 6]]
    made = interaction("sum", differential=True)
    assert made(REWARDS, None, NONE_LOST)[:, 0].tolist() == [-2, 0, -2, 12]


@pytest.mark.parametrize("algorithm", ["steer", "mappo", "happo"])
@pytest.mark.parametrize("kind", ["sum", "dri", "dri-naive"])
def test_any_algorithm_takes_any_interaction(tmp_path: Path, algorithm: str, kind: str) -> None:
    run = baselines.train(
        algorithm,
        "stmg/PrisonersDilemma-v0",
        seeds=2,
        out=tmp_path / "run",
        reward_interaction=kind,
        total_steps=300,
    )
    header = (run.path / "metrics.csv").read_text().splitlines()[0]
    assert ("conflict_rate" in header) == kind.startswith("dri")
