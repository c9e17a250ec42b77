"""STEER under orders that vary: three agents whose best reply depends on who did what (`claims`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims import Claims, payoffs

import baselines
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import Trainer
from stmg_envs.equilibria import stackelberg
from stmg_envs.protocol import GameVectorEnv, JointVectorEnv
from wrappers import PriorityVectorEnv, by_score

SETTINGS: dict[str, Any] = {"eval_interval": 10_000, "eval_episodes": 96}
"""The last evaluation is of so many random orders, sixteen of each on average."""
NEEDED = 15


def test_whoever_decides_first_claims_and_the_last_must_know_who_it_was() -> None:
    for order in ((0, 1, 2), (0, 2, 1), (2, 0, 1)):
        assert stackelberg(payoffs(), order).actions == (0, 1, 0)
    for order in ((1, 0, 2), (1, 2, 0), (2, 1, 0)):
        assert stackelberg(payoffs(), order).actions == (1, 0, 1)


def test_steer_under_random_orders(tmp_path: Path) -> None:
    run = baselines.train(
        "steer",
        "stmg/MatrixGame-v0",
        env_args={"payoffs": payoffs(), "target": "stackelberg"},
        priority="random",
        seeds=16,
        out=tmp_path / "run",
        **SETTINGS,
    )
    assert run.evaluated.optimal is not None
    assert run.evaluated.optimal.all(axis=1).sum() >= NEEDED


def test_steer_under_orders_by_what_agents_observe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def environments(plan: RunPlan, per_run: int, lanes: int = 1) -> JointVectorEnv:
        batch = GameVectorEnv(Claims(), len(plan.seeds) * per_run, validate=False)
        ordered: Any = PriorityVectorEnv(batch, by_score(lambda observations: observations[..., 0]))
        return ordered  # type: ignore[no-any-return]

    monkeypatch.setattr(RunPlan, "game", lambda self: Claims())
    monkeypatch.setattr(RunPlan, "environments", environments)
    plan = make_plan("steer", "stmg/Penalty-v0", seeds=16, config=SETTINGS)
    directory = RunDirectory(tmp_path / "run")
    directory.create(plan)
    evaluated = Trainer(plan, directory).run()
    assert evaluated.optimal is not None
    assert np.sum(evaluated.optimal.all(axis=1)) >= NEEDED
