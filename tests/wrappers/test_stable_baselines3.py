"""The native `VecEnv` gives what Stable-Baselines3's own gives, one environment after another."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from games import assert_same
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from wrappers.stable_baselines3 import TurnStreamVecEnv, stable_baselines3_env

BATCH = 3
IDS = ("stmg/Penalty-v0", "stmg/Coordination-v0", "stmg/PrisonersDilemma-v0", "stmg/CooperativeHunting-v0")


def stock(id: str) -> DummyVecEnv:
    return DummyVecEnv([lambda: gymnasium.make(id) for _ in range(BATCH)])


def plain(observations: Any) -> dict[str, Any]:
    return dict(observations)


def assert_same_infos(own: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    for mine, theirs in zip(own, other, strict=True):
        assert ("terminal_observation" in mine) == ("terminal_observation" in theirs)
        for name in ("agent", "timestep_end", "TimeLimit.truncated"):
            assert mine[name] == theirs[name]
        np.testing.assert_allclose(mine["rewards"], theirs["rewards"], rtol=1e-6)
        if "terminal_observation" in mine:
            assert_same(mine["terminal_observation"], theirs["terminal_observation"])


@pytest.mark.parametrize("id", IDS)
def test_every_step_is_that_of_the_stock_vec_env(id: str) -> None:
    own, other = stable_baselines3_env(id, BATCH), stock(id)
    assert own.seed(7) == [7, 8, 9] and other.seed(7)
    assert_same(own.reset(), plain(other.reset()))
    own.action_space.seed(0)
    endings = 0
    for _ in range(120):
        actions = np.stack([own.action_space.sample() for _ in range(BATCH)])
        mine, theirs = own.step(actions), other.step(actions)
        assert_same(mine[0], plain(theirs[0]))
        np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-6)
        assert mine[1].dtype == theirs[1].dtype == np.float32
        assert mine[2].tolist() == theirs[2].tolist()
        assert_same_infos(mine[3], theirs[3])
        endings += int(mine[2].sum())
    assert endings > 0


def test_time_limits_are_truncations() -> None:
    env = stable_baselines3_env("stmg/CooperativeHunting-v0", 1, max_steps=2)
    env.reset()
    turns = 2 * env.streams.game.n
    infos = [env.step(np.zeros((1, 2), np.float32))[3][0] for _ in range(turns)]
    last = [False] * (turns - 1) + [True]
    assert [info["TimeLimit.truncated"] for info in infos] == last
    assert ["terminal_observation" in info for info in infos] == last


def test_masks_are_those_of_the_agent_to_decide() -> None:
    payoffs = [[[1.0, 2.0, 0.0], [0.0, 8.0, 9.0]]] * 2
    env = stable_baselines3_env("stmg/MatrixGame-v0", 2, payoffs=payoffs)
    env.reset()
    assert env.has_attr("action_masks")
    assert np.array_equal(env.env_method("action_masks"), [[1, 1, 0]] * 2)
    env.step(np.array([1, 1]))
    assert np.array_equal(env.env_method("action_masks", indices=[1]), [[1, 1, 1]])
    assert not stable_baselines3_env("stmg/CooperativeHunting-v0", 1).has_attr("action_masks")


def test_attributes_of_sub_environments() -> None:
    env = stable_baselines3_env("stmg/Penalty-v0", 2)
    env.set_attr("name", "second", indices=1)
    assert env.get_attr("name", indices=[1]) == ["second"]
    with pytest.raises(AttributeError):
        env.get_attr("name")
    env.set_options([{}, {"priority": ["agent_1", "agent_0"]}])
    env.reset()
    assert env.get_attr("priority") == [("agent_0", "agent_1"), ("agent_1", "agent_0")]
    assert [info["agent"] for info in env.reset_infos] == ["agent_0", "agent_1"]
    assert [graph.tolist() for graph in env.env_method("neighbors")] == [[[False, True], [True, False]]] * 2
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False, False]
    env.set_options({"order": [1, 0]})
    with pytest.raises(InvalidArgumentError, match="order"):
        env.reset()


def test_pictures_are_of_every_sub_environment() -> None:
    env = stable_baselines3_env("stmg/CooperativeHunting-v0", 2, render_mode="rgb_array")
    env.seed(0)
    env.reset()
    first, second = env.get_images()
    assert first.dtype == np.uint8 and first.shape == second.shape and (first != second).any()
    tiled = env.render()
    assert tiled is not None and tiled.shape[:2] == (2 * first.shape[0], first.shape[1])


def test_monitor_counts_episodes() -> None:
    env = VecMonitor(stable_baselines3_env("stmg/Penalty-v0", 2))
    env.reset()
    env.step(np.ones(2, np.int64))
    infos = env.step(np.ones(2, np.int64))[3]
    assert [(info["episode"]["r"], info["episode"]["l"]) for info in infos] == [(2.0, 2)] * 2


def test_other_autoreset_modes_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="SAME_STEP"):
        TurnStreamVecEnv(stmg_envs.vector_turn_stream("stmg/Penalty-v0", 2))


def test_wrappers_need_no_stable_baselines3() -> None:
    code = (
        "import sys; sys.modules['stable_baselines3'] = None; import wrappers\n"
        "try: import wrappers.stable_baselines3\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'stmg[sb3]'" in result.stdout
