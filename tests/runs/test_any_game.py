"""Every algorithm trains on continuous actions, dying agents, changing masks and a time limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from games import Tokens, Walk
from small import SIZES

from baselines.algorithms.registry import algorithm_spec
from baselines.errors import PairingError
from baselines.runs.blocks import BlocksHere
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import Trainer
from stmg_envs.protocol import Game


def plan_for(game: type[Game], algorithm: str, monkeypatch: pytest.MonkeyPatch) -> RunPlan:
    """A plan on a game that is in no registry."""
    config = SIZES[algorithm] | {"total_steps": 400, "num_envs": 4, "rollout_steps": 25}
    evaluation = {"eval_interval": 200, "eval_episodes": 3}
    plan = make_plan(algorithm, "stmg/Penalty-v0", seeds=2, config=config | evaluation)
    monkeypatch.setattr(RunPlan, "game", lambda self: game())
    return plan


@pytest.mark.parametrize("game", [Walk, Tokens])
@pytest.mark.parametrize("algorithm", SIZES)
def test_every_algorithm_trains_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, game: type[Game], algorithm: str
) -> None:
    plan = plan_for(game, algorithm, monkeypatch)
    try:
        plan.algorithm.check(game())
    except PairingError:
        assert algorithm_spec(algorithm).family in {"step", "mat", "dqn"}
        return
    directory = RunDirectory(tmp_path / "run")
    directory.create(plan)
    blocks = BlocksHere([plan])
    population = blocks.blocks[0].population
    before = {name: p.detach().clone() for name, p in population.parameters.items()}
    evaluated = Trainer(plan, directory, blocks=blocks).run()
    assert evaluated.returns.shape[:2] == (2, 3)
    assert np.isfinite(evaluated.returns).all()
    for name, p in population.parameters.items():
        assert p.isfinite().all(), name
    assert any((p != before[name]).any() for name, p in population.parameters.items())


def test_step_says_what_it_needs() -> None:
    class Unshared(Tokens):
        state_space = None
        fully_observed = False

    with pytest.raises(PairingError, match="needs a state that all agents share"):
        algorithm_spec("step").check(Unshared())
