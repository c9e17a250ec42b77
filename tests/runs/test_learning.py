"""Learning with the shipped presets, on problems small enough for every test run."""

from __future__ import annotations

from pathlib import Path

import pytest

import baselines


@pytest.mark.parametrize(
    ("env_id", "env_args"),
    [("stmg/Penalty-v0", {"k": -100}), ("stmg/Mixing-v0", {})],
)
def test_steer_finds_the_stackelberg_equilibrium(
    tmp_path: Path, env_id: str, env_args: dict[str, float]
) -> None:
    trained = baselines.train("steer", env_id, env_args=env_args, seeds=4, out=tmp_path / "run")
    assert trained.evaluated.optimal is not None
    assert trained.evaluated.optimal.all()


def test_steer_answers_to_the_other_leader(tmp_path: Path) -> None:
    """With agent_1 leading Mixing's equilibrium is (1, 3) = (-8, 4)."""
    trained = baselines.train(
        "steer", "stmg/Mixing-v0", priority=("agent_1", "agent_0"), seeds=2, out=tmp_path / "run"
    )
    assert trained.evaluated.returns[:, 0].tolist() == [[-8.0, 4.0]] * 2


@pytest.mark.parametrize("algorithm", ["a2c", "dqn"])
def test_the_dilemma_is_a_dilemma_only_for_those_on_their_own(tmp_path: Path, algorithm: str) -> None:
    def share(suffix: str, joint: list[float]) -> float:
        run = baselines.train(
            f"{algorithm}-{suffix}",
            "stmg/PrisonersDilemma-v0",
            seeds=4,
            out=tmp_path / suffix,
            total_steps=4_000 if suffix == "dri" else 12_000,
            eval_interval=4_000,
        )
        return float((run.evaluated.returns[:, 0] == joint).all(axis=-1).mean())

    assert share("dri", [10, 10]) == 1.0
    assert share("ind", [2, 2]) >= 0.75
