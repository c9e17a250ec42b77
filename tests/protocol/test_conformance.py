"""PettingZoo's and Gymnasium's own checks, over every game, with no warning that is not explained here."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from engines import ENGINE_IDS, with_engines
from games import GAMES, VIEWS, trace
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test

import stmg_envs
from stmg_envs.protocol import Game, GameParallelEnv, TurnBasedEnv, TurnStreamEnv

CYCLES = 40

FLAT_DICT = {
    "Observation is not a NumPy array": "turn observations are flat Dicts, as the protocol says",
    "Observation space for each agent probably should be gymnasium.spaces.box or gymnasium.spaces.discrete": (
        "the same"
    ),
}
CONSTANT = {
    "Observation is a single number": "one-shot games show the constant [0], as published",
    "Observation numpy array is all zeros.": "the same; repeated games show zeros before the first step",
}
UNEQUAL = {
    "Agents have different observation space sizes": (
        "the action mask has one entry per action and agents have unequal numbers of actions"
    ),
}
ABSENT = {
    "No agents present but not all possible_agents are terminated or truncated": (
        "where the number of agents is random, some are absent from the start"
    ),
}
UNBOUNDED = {
    f"\x1b[33mWARN: A Box observation space {end} value is {value}. This is probably too {size}.\x1b[0m": (
        "MuJoCo's positions and velocities have no bounds, as in Gymnasium's own tasks"
    )
    for end, value, size in (("minimum", "-infinity", "low"), ("maximum", "infinity", "high"))
}
SCALED = {
    "\x1b[33mWARN: For Box action spaces, we recommend using a symmetric and normalized space (range=[-1, 1] "
    "or [0, 1]). See https://stable-baselines3.readthedocs.io/en/master/guide/rl_tips.html for more "
    "information.\x1b[0m": "MuJoCo's actuators take what they take, as in Gymnasium's own tasks"
}


def explained(game: Game) -> set[str]:
    """The warnings that PettingZoo's check of turns may give for a game."""
    messages = set(FLAT_DICT)
    if game.observation_space.shape == (1,) or game.max_steps is not None:
        messages |= set(CONSTANT)
    if game.discrete and len(set(game.action_counts)) > 1:
        messages |= set(UNEQUAL)
    return messages


def warned(check: Any, *args: Any, **kwargs: Any) -> set[str]:
    """Messages of the warnings that a check gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check(*args, **kwargs)
    return {str(warning.message) for warning in caught}


@pytest.mark.parametrize("name", GAMES)
def test_pettingzoo_turns(name: str) -> None:
    game = GAMES[name]()
    env = (
        pettingzoo.make("aec", name) if name in stmg_envs.list_envs() else TurnBasedEnv(GameParallelEnv(game))
    )
    messages = warned(api_test, env, num_cycles=CYCLES)
    assert messages <= explained(game)
    assert set(FLAT_DICT) <= messages, "the list of explained warnings is out of date"


@pytest.mark.parametrize("name", GAMES)
def test_pettingzoo_joint_steps(name: str) -> None:
    registered = name in stmg_envs.list_envs()
    env = pettingzoo.make("parallel", name) if registered else GameParallelEnv(GAMES[name]())
    assert warned(parallel_api_test, env, num_cycles=CYCLES) <= (set(ABSENT) if name == "some" else set())


@pytest.mark.parametrize("name", GAMES)
def test_gymnasium(name: str) -> None:
    registered = name in stmg_envs.list_envs()
    game = GAMES[name]()
    env = gymnasium.make(name).unwrapped if registered else TurnStreamEnv(GameParallelEnv(game))
    messages = warned(check_env, env, skip_render_check=not registered)
    bounded = np.isfinite(game.observation_space.high).all()
    assert messages <= (set() if bounded else set(UNBOUNDED) | set(SCALED))


@pytest.mark.parametrize("id", with_engines(ENGINE_IDS))
def test_engines(id: str) -> None:
    assert warned(api_test, pettingzoo.make("aec", id), num_cycles=CYCLES) == set(FLAT_DICT)
    assert not warned(parallel_api_test, pettingzoo.make("parallel", id), num_cycles=CYCLES)
    check_env(gymnasium.make(id).unwrapped, skip_render_check=True)


def test_spaces_contain_what_is_seen(game: Game) -> None:
    parallel, stream, batch = (VIEWS[view](game) for view in ("parallel", "stream", "vector_stream"))
    for env in (parallel, stream, batch):
        env.reset(seed=0)
    for _ in range(30):
        observations = parallel.step(
            {agent: parallel.action_space(agent).sample() for agent in parallel.agents}
        )[0]
        for agent, observation in (observations or parallel.reset()[0]).items():
            assert parallel.observation_space(agent).contains(observation)
        if parallel.state_space is not None:
            assert parallel.state_space.contains(parallel.state())
    for env in (stream, batch):
        for observation, *_ in trace(env, 30):
            assert env.observation_space.contains(observation)


def test_masks_tell_the_legal_actions() -> None:
    game = GAMES["tokens"]()
    env = TurnStreamEnv(GameParallelEnv(game))
    view, _ = env.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(12):
        agent = int(view["agent"])
        space = game.action_spaces[agent]
        assert isinstance(space, Discrete)
        tokens = round(float(view["observation"][0]) * 3)
        assert view["action_mask"].tolist() == [int(a <= tokens and a < space.n) for a in range(4)]
        assert env.action_masks().tolist() == view["action_mask"].tolist()
        view, _, terminated, truncated, _ = env.step(rng.choice(np.flatnonzero(view["action_mask"])))
        if terminated or truncated:
            view, _ = env.reset()


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
@pytest.mark.parametrize("id", with_engines(stmg_envs.list_envs()))
def test_pictures(id: str, mode: str) -> None:
    def check(picture: Any) -> None:
        if mode == "ansi":
            assert isinstance(picture, str) and picture
        else:
            assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3

    stream = gymnasium.make(id, render_mode=mode)
    parallel = pettingzoo.make("parallel", id, render_mode=mode)
    turns = pettingzoo.make("aec", id, render_mode=mode)
    envs = [stream, parallel, turns]
    batch = None if id in ENGINE_IDS else gymnasium.make_vec(id, num_envs=2, render_mode=mode)
    for env in envs if batch is None else [*envs, batch]:
        assert mode in env.metadata["render_modes"] and env.render_mode == mode
        env.reset(seed=0)
        before = env.render()
        trace(env.unwrapped, 1)
        for pictures in (before, env.render()):
            assert env is not batch or len(pictures) == 2
            for picture in pictures if env is batch else [pictures]:
                check(picture)
        env.close()


def test_no_picture_without_a_mode() -> None:
    for view in ("parallel", "aec", "stream", "vector_stream"):
        env = VIEWS[view](GAMES["stmg/Penalty-v0"]())
        env.reset(seed=0)
        assert env.render() is None
