"""Full episodes on the real engine through every view, and what the environment refuses."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from games import assert_joint_game_in_turns, assert_leaders_blind, assert_same, sample_joint
from PIL import Image
from small import SIZES

import baselines
import stmg_envs
from baselines.runs.video import film
from stmg_envs.errors import (
    InvalidActionError,
    InvalidArgumentError,
    InvalidPriorityError,
    MissingEngineError,
)
from stmg_envs.protocol import PriorityParallelEnv

ID = "stmg/Football-v0"
AGENTS = {
    "academy_pass_and_shoot_with_keeper": 2,
    "academy_3_vs_1_with_keeper": 3,
    "academy_counterattack_easy": 4,
}
METRICS = {"win_rate", "goal_difference"}


@pytest.fixture(params=AGENTS)
def scenario(request: pytest.FixtureRequest) -> str:
    """The scenarios of the papers."""
    return request.param


def legal(mask: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(mask)))


def test_an_episode_jointly(scenario: str) -> None:
    env = stmg_envs.parallel_env(ID, scenario=scenario)
    rng = np.random.default_rng(1)
    assert env.possible_agents == [f"agent_{i}" for i in range(AGENTS[scenario])] == list(env.priority)
    observations, infos = env.reset(seed=1)
    steps, total = 0, 0.0
    while env.agents:
        assert env.state_space is not None and env.state_space.contains(env.state())
        for agent in env.agents:
            assert env.observation_space(agent).contains(observations[agent])
        acted = env.agents
        actions = {agent: legal(infos[agent]["action_mask"], rng) for agent in acted}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        assert len(set(rewards.values())) == 1 and set(rewards) == set(acted)
        steps, total = steps + 1, total + rewards["agent_0"]
    assert infos["agent_0"].keys() >= METRICS
    assert all(truncations.values()) == (steps == 400) != all(terminations.values())
    assert infos["agent_0"]["win_rate"] == float(infos["agent_0"]["goal_difference"] > 0)
    assert np.isfinite(total)
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_turns_are_the_joint_game(scenario: str) -> None:
    make = partial(stmg_envs.parallel_env, ID, scenario=scenario, max_steps=25)
    turns = stmg_envs.aec_env(ID, scenario=scenario, max_steps=25)
    assert_joint_game_in_turns(make(), turns, seed=2, episodes=2)


@pytest.mark.parametrize("view", [stmg_envs.aec_env, stmg_envs.turn_stream])
def test_leaders_do_not_see_followers(view: Any) -> None:
    assert_leaders_blind(partial(view, ID, scenario="academy_3_vs_1_with_keeper"), seed=1)


def test_an_episode_as_a_stream_of_turns(scenario: str) -> None:
    env = stmg_envs.turn_stream(ID, scenario=scenario)
    rng = np.random.default_rng(0)
    view, _ = env.reset(seed=3)
    over, turns, ended = False, 0, 0
    while not over:
        assert env.observation_space.contains(view)
        view, reward, terminated, truncated, info = env.step(legal(view["action_mask"], rng))
        assert info["timestep_end"] or reward == 0
        over, turns, ended = terminated or truncated, turns + 1, ended + info["timestep_end"]
    assert turns == ended * AGENTS[scenario]
    assert info["rewards"].shape == (AGENTS[scenario],)


def test_episodes_in_a_batch(scenario: str) -> None:
    env = stmg_envs.vector_env(ID, 2, scenario=scenario)
    observations, _ = env.reset(seed=5)
    generator = torch.Generator().manual_seed(0)
    ended = 0
    for _ in range(401):
        weights = observations["action_mask"].flatten(0, 1).float()
        actions = torch.multinomial(weights, 1, generator=generator).view(2, -1)
        observations, rewards, terminated, truncated, info = env.step(actions)
        assert observations["observation"].shape == (2, AGENTS[scenario], 122)
        assert rewards.shape == (2, AGENTS[scenario])
        assert set(info["metrics"]) == METRICS
        ended += int((terminated | truncated).sum())
        if ended >= 2:
            break
    assert ended
    env.close()


def test_a_seed_is_an_episode() -> None:
    def play(env: PriorityParallelEnv, seed: int) -> list[Any]:
        rng = np.random.default_rng(0)
        told = [env.reset(seed=seed)]
        while env.agents and len(told) < 80:
            told.append(env.step(sample_joint(env, rng)))
        return told

    env, other = (stmg_envs.parallel_env(ID) for _ in range(2))
    played = play(env, 3)
    assert_same(play(other, 3), played)
    assert_same(play(env, 3), played)
    with pytest.raises(AssertionError):
        assert_same(play(env, 4), played)
    # Without a seed the next episode is another one.
    env.reset(seed=3)
    env.reset()
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        assert_same([env.step(sample_joint(env, rng)) for _ in range(20)], played[1:21])


def test_time_limits_truncate() -> None:
    env = stmg_envs.parallel_env(ID, scenario="11_vs_11_easy_stochastic", num_agents=3, max_steps=4)
    env.reset(seed=0)
    for step in range(4):
        _, _, terminations, truncations, _ = env.step(dict.fromkeys(env.agents, 0))
        assert not any(terminations.values()) and all(truncations.values()) == (step == 3)
    assert env.agents == []


def test_a_goal_ends_an_academy_match() -> None:
    env = stmg_envs.parallel_env(ID, scenario="academy_empty_goal_close", reward="scoring")
    infos = env.reset(seed=0)[1]
    total = 0.0
    while env.agents:
        mask = infos["agent_0"]["action_mask"]
        _, rewards, terminations, _, infos = env.step({"agent_0": 12 if mask[12] else 5})
        total += rewards["agent_0"]
    assert terminations == {"agent_0": True}
    assert total == infos["agent_0"]["win_rate"] == infos["agent_0"]["goal_difference"] == 1


def test_other_arguments() -> None:
    env = stmg_envs.parallel_env(
        ID, num_agents=1, representation="simple115v2", neighbors="radius", radius=5, action_masking=False
    )
    observations, infos = env.reset(seed=0)
    assert observations["agent_0"].shape == (115,) and infos == {"agent_0": {}}
    assert env.neighbors().tolist() == [[False]]
    near = stmg_envs.parallel_env(ID, neighbors="radius", radius=100.0)
    near.reset(seed=0)
    assert near.neighbors().tolist() == [[False, True], [True, False]]


def test_pictures_are_those_of_the_match() -> None:
    env, other = (stmg_envs.parallel_env(ID, render_mode="rgb_array") for _ in range(2))
    for each in (env, other):
        each.reset(seed=0)
    start = env.render()
    assert start.shape == (360, 640, 3) and start.dtype == np.uint8
    # The pitch is green.
    red, green, blue = start.reshape(-1, 3).mean(axis=0)
    assert green > red > 0 and green > blue
    for _ in range(15):
        env.step(dict.fromkeys(env.agents, 1))
    assert not np.array_equal(env.render(), start)
    assert np.abs(other.render().astype(int) - start).mean() < 3
    # Looking changes nothing.
    watched, unwatched = env, stmg_envs.parallel_env(ID)
    unwatched.reset(seed=0)
    for _ in range(15):
        unwatched.step(dict.fromkeys(unwatched.agents, 1))
    for _ in range(5):
        watched.render()
        assert_same(
            watched.step({"agent_0": 5, "agent_1": 11}), unwatched.step({"agent_0": 5, "agent_1": 11})
        )


def test_text() -> None:
    env = stmg_envs.parallel_env(ID, render_mode="ansi")
    env.reset(seed=0)
    said = env.render()
    assert said.startswith("step 0, 0:0, ball (+0.70, -0.28), ") and said.count("agent_") == 2


def test_it_trains_and_films(tmp_path: Path) -> None:
    config = {"total_steps": 40, "num_envs": 2, "rollout_steps": 10, "eval_interval": 40, "eval_episodes": 2}
    run = baselines.train(
        "mappo", ID, env_args={"max_steps": 3}, out=tmp_path / "run", **config, **SIZES["mappo"]
    )
    assert set(run.evaluated.metrics) >= METRICS
    assert film(run.path, tmp_path / "film.gif") == 3
    with Image.open(tmp_path / "film.gif") as image:
        assert image.size == (640, 360)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"scenario": "academy_3_vs_1"},
            "scenario='academy_3_vs_1' is unknown; did you mean 'academy_3_",
        ),
        ({"scenario": 3}, "scenario=3 is no text; expected for instance"),
        ({"scenario": "tests"}, "scenario='tests' is unknown"),
        ({"num_agents": 0}, r"num_agents=0 .*1\.\.3"),
        ({"num_agents": 4}, r"num_agents=4 .*1\.\.3"),
        ({"num_agents": "2"}, "num_agents='2'"),
        ({"representation": "pixels"}, "representation='pixels' is unknown; .*'compact', 'simple115v2'"),
        ({"reward": "checkpoints"}, "reward='checkpoints'"),
        ({"neighbors": "all"}, "neighbors='all'"),
        ({"k": 0}, "k=0"),
        ({"radius": -1}, "radius=-1"),
        ({"action_masking": 1}, "action_masking=1"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"render_mode": "human"}, "render_mode='human'"),
        ({"players": 3}, "players=3 is no argument of stmg/Football-v0"),
        ({"backend": "native"}, "backend='native'"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        stmg_envs.parallel_env(ID, **arguments)


def test_bad_use() -> None:
    env = stmg_envs.parallel_env(ID)
    for ask in (env.state, env.neighbors, lambda: env.step({})):
        with pytest.raises(InvalidArgumentError, match=r"call reset\(\)"):
            ask()
    assert env.render() is None
    env.reset(seed=0)
    with pytest.raises(InvalidActionError, match=r"action 19 of agent_1.*0\.\.18"):
        env.step({"agent_0": 0, "agent_1": 19})
    with pytest.raises(InvalidPriorityError, match="agent_2"):
        env.reset(options={"priority": ["agent_2", "agent_0"]})


def test_a_missing_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingEngineError, match=r"'gfootball'.*make football.*'stmg\[football\]'"):
        stmg_envs.parallel_env(ID)


def test_others_may_draw_between_two_pictures() -> None:
    env = stmg_envs.parallel_env(ID, render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    other = stmg_envs.parallel_env("stmg/MultiAgentMujoco-v0", render_mode="rgb_array")
    other.reset(seed=0)
    assert other.render().any()
    assert np.array_equal(env.render(), before)
