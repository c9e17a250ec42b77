"""Numbers that are not finite end a training or an evaluation with an error that says whose they are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

import baselines
from baselines.runs.block import Block
from baselines.runs.blocks import BlocksHere
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import Trainer
from baselines.training.checkpoint import load_checkpoint
from baselines.training.finite import FiniteCheck
from stmg_envs.errors import NotFiniteError
from stmg_envs.protocol import Game, Outcome, State, Streams

SHORT = {"total_steps": 64, "num_envs": 2, "rollout_steps": 8, "eval_interval": 16, "eval_episodes": 1}


class Broken(Game):
    """Two agents for four steps; after so many steps in all agent_1 is paid and shown a bad number."""

    agents = ("agent_0", "agent_1")
    action_spaces = (Discrete(2),) * 2
    observation_space = Box(-10.0, 10.0, (2,))
    max_steps = 4
    fully_observed = True

    def __init__(self, reward: float = 1.0, seen: float = 0.0, after: int = 30) -> None:
        self.reward, self.seen, self.after = reward, seen, after
        self.steps = 0

    def reset(self, streams: Streams) -> State:
        return {"time": torch.zeros(len(streams.keys))}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        self.steps += 1
        rewards = actions.float()
        rewards[:, 1] += self.reward if self.steps > self.after else 0.0
        return Outcome({"time": state["time"] + 1}, rewards, torch.zeros(len(actions), dtype=torch.bool))

    def observe(self, state: State) -> Tensor:
        shown = state["time"][:, None, None].expand(-1, 2, 2).clone()
        shown[:, 1, 1] = self.seen if self.steps > self.after else 0.0
        return shown


def trainer(game: Game, algorithm: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Trainer, Block]:
    """A training of two runs in a game, and what is trained; evaluations are in one where nothing breaks."""
    sound = Broken(after=10**9)
    monkeypatch.setattr(RunPlan, "game", lambda self: sound)
    plan = make_plan(algorithm, "stmg/Penalty-v0", seeds=[3, 7], config=SHORT)
    directory = RunDirectory(path)
    directory.create(plan)
    games = iter([game])
    monkeypatch.setattr(RunPlan, "game", lambda self: next(games, sound))
    blocks = BlocksHere([plan])
    return Trainer(plan, directory, blocks=blocks), blocks.blocks[0]


@pytest.mark.parametrize("algorithm", ["mappo", "steer", "happo", "a2c-ind", "dqn-ind", "ddpg-ind"])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            {"reward": float("nan")},
            "reward of agent_1 in the run of seed 3 is nan",
        ),
        (
            {"reward": float("-inf")},
            "reward of agent_1 in the run of seed 3 is -inf",
        ),
        (
            {"seen": float("nan")},
            "observation of agent_1 in the run of seed 3 is nan",
        ),
    ],
)
def test_training_ends_where_a_number_is_none(
    algorithm: str, bad: dict[str, float], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, _ = trainer(Broken(**bad), algorithm, tmp_path / "run", monkeypatch)
    with pytest.raises(
        NotFiniteError, match=rf"{said} in the rollout after step \d+; expected finite numbers"
    ):
        started.run()
    # What was learned before is whole, and the record goes up to there.
    tensors, progress = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert progress["updates"] >= 1
    assert all(x.isfinite().all() for x in tensors.values() if x.is_floating_point())
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines()))
    assert len(rows) == 2 * progress["updates"]
    assert "grad_norm" in rows[-1]


def test_returns_whose_squares_overflow_are_named_before_they_enter_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, _ = trainer(Broken(reward=1e20), "ippo", tmp_path / "run", monkeypatch)
    with pytest.raises(NotFiniteError, match="squared return of agent_1 in the run of seed 3 is inf"):
        started.run()


def test_an_update_that_breaks_parameters_is_recorded_and_ends_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, block = trainer(Broken(after=10**9), "mappo", tmp_path / "run", monkeypatch)
    update, updates = block.learner.update, []

    def broken(*arguments: Any) -> dict[str, Tensor]:
        metrics = update(*arguments)
        updates.append(metrics)
        if len(updates) == 3:
            with torch.no_grad():
                block.population.parameters["actor.head.network.bias"][1] = torch.nan
        return metrics

    monkeypatch.setattr(block.learner, "update", broken)
    said = r"parameter 'actor.head.network.bias' of the run of seed 7 .* at step 48 \(.*grad_norm=\d"
    with pytest.raises(NotFiniteError, match=said):
        started.run()
    assert load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")[1]["updates"] == 2
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines()))
    assert [row["step"] for row in rows[::2]] == ["16", "32", "48"]
    assert float(rows[-1]["grad_norm"]) > 0


def test_evaluation_ends_there_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunPlan, "game", lambda self: Broken(reward=float("nan"), after=0))
    said = "reward of agent_1 in the run of seed 3 is nan in a greedy episode"
    with pytest.raises(NotFiniteError, match=said):
        baselines.train("mappo", "stmg/Penalty-v0", seeds=[3, 7], out=tmp_path / "run", **SHORT)


def test_rows_that_do_not_count_are_not_asked() -> None:
    check = FiniteCheck([5], ["a", "b"])
    alive = torch.tensor([[[True, False]]])
    check.decisions("here", alive, reward=torch.tensor([[[1.0, torch.nan]]]))
    check.decisions("here", alive, observation=torch.tensor([[[[1.0, 2.0], [torch.nan, 0.0]]]]))
    with pytest.raises(NotFiniteError, match="log prob of a in the run of seed 5 is inf in here"):
        check.decisions("here", alive, log_prob=torch.tensor([[[torch.inf, 0.0]]]))
