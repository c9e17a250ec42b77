"""What is recorded gives the same bits as what is called, and depends on nothing but its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from games import GAMES, assert_same, sample_batch
from torch import Tensor
from traced import recording

import stmg_envs.protocol.capture as capture
from baselines.runs.block import Block
from baselines.runs.plan import make_plan
from stmg_envs.protocol import Captured, GameVectorEnv


def weighted(resident: dict[str, Tensor], parts: dict[str, Any], weight: float, times: int) -> Any:
    return {"sum": resident["bias"] + weight * parts["x"] * times}, [parts["x"][:1].expand(3, 2)]


def test_tensors_and_floats_are_read_anew() -> None:
    bias = torch.tensor([1.0, 2.0])
    captured = Captured(weighted, "cpu", {"bias": bias})
    with recording():
        kept = [captured({"x": torch.full((2, 2), value)}, value, 2) for value in (1.0, 3.0)]
        bias += 10
        kept.append(captured({"x": torch.ones(2, 2)}, 0.5, 2))
    expected = [([1.0, 2.0], 2.0, 1.0), ([1.0, 2.0], 18.0, 3.0), ([11.0, 12.0], 1.0, 1.0)]
    for (table, (spread,)), (begun, added, first) in zip(kept, expected, strict=True):
        assert torch.equal(table["sum"], (torch.tensor(begun) + added).expand(2, 2))
        assert torch.equal(spread, torch.full((3, 2), first))
    assert len(captured._recordings) == 1


def test_other_shapes_and_constants_are_recorded_anew() -> None:
    captured = Captured(weighted, "cpu", {"bias": torch.zeros(2)})
    with recording():
        for rows, times in ((1, 1), (2, 1), (2, 5), (2, 1)):
            table, _ = captured({"x": torch.ones(rows, 2)}, 1.0, times)
            assert torch.equal(table["sum"], torch.full((rows, 2), float(times)))
    assert len(captured._recordings) == 3


def test_results_may_be_overwritten_by_the_next_call() -> None:
    captured = Captured(torch.square, "cpu", keeps_results=False)
    with recording():
        first = captured(torch.tensor(3.0))
        assert float(first) == 9.0
        captured(torch.tensor(4.0))
        assert float(first) == 16.0


def test_a_recording_within_a_recording_is_a_part_of_it() -> None:
    inner = Captured(torch.square, "cpu")
    outer = Captured(lambda x: inner(x) + 1, "cpu")
    with recording():
        assert float(inner(torch.tensor(2.0))) == 4.0
        assert [float(outer(torch.tensor(x))) for x in (3.0, 4.0)] == [10.0, 17.0]


def test_what_asks_is_called_after_a_warning() -> None:
    def positive(x: Tensor) -> Tensor:
        return x if bool(x > 0) else -x

    captured = Captured(positive, "cpu")
    with recording():
        with pytest.warns(UserWarning, match=r"positive.*could not be recorded.*STMG_CAPTURE=0"):
            assert float(captured(torch.tensor(-2.0))) == 2.0
        assert float(captured(torch.tensor(3.0))) == 3.0


def test_the_switch_turns_recording_off(monkeypatch: pytest.MonkeyPatch) -> None:
    captured = Captured(torch.square, "cpu")
    monkeypatch.setenv(capture.SWITCH, "0")
    with recording():
        assert not captured.records and capture.may_ask(torch.device("cpu"))
        captured(torch.tensor(2.0))
    assert not captured._recordings


CAPTURABLE = [name for name in GAMES if "Mujoco" not in name and name not in ("arm", "teams", "fallen")]


@pytest.mark.parametrize("name", CAPTURABLE)
def test_games_step_alike(name: str) -> None:
    """None of them asks for anything, and episodes end and begin."""

    def play() -> list[Any]:
        rng = np.random.default_rng(0)
        game = GAMES[name]()
        game.max_steps = min(game.max_steps or 4, 4)
        env = GameVectorEnv(game, 2, validate=False)
        env.reset(seed=5)
        return [(env.step(sample_batch(env, rng)), env.snapshot(), env.neighbors()) for _ in range(6)]

    called = play()
    with recording():
        recorded = play()
    assert_same(recorded, called)


TINY = {"num_envs": 2, "rollout_steps": 3, "total_steps": 18}
LEARNERS = {
    "steer": ("stmg/Coordination-v0", {"epochs": 2}),
    "mat": ("stmg/Penalty-v0", {"epochs": 2}),
    "step": ("stmg/Penalty-v0", {"epochs": 2}),
    "happo": ("stmg/Penalty-v0", {"epochs": 2, "minibatches": 2}),
    "mappo-dri": ("stmg/CooperativeHunting-v0", {"epochs": 2}),
    "mappo": ("stmg/Coordination-v0", {"epochs": 2, "recurrent": True, "chunk_length": 3}),
    "a2c-ctde": ("stmg/Penalty-v0", {}),
    "dqn-dri": ("stmg/Penalty-v0", {"warmup_steps": 1}),
    "ddpg-ind": ("stmg/CooperativeHunting-v0", {"warmup_steps": 1}),
}


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("name", LEARNERS)
def test_learners_learn_alike(name: str, runs: int) -> None:
    """Rollouts, gradients and greedy evaluations of three updates."""
    env_id, config = LEARNERS[name]

    def learn() -> tuple[Any, ...]:
        block = Block(make_plan(name, env_id, seeds=runs, config=TINY | config))
        block.begin()
        # NaN where no episode has ended.
        metrics = [{key: x.nan_to_num(-1.0) for key, x in block.update().items()} for _ in range(3)]
        return metrics, {key: x.detach() for key, x in block.state().items()}

    called = learn()
    with recording():
        recorded = learn()
    assert_same(recorded, called)
