"""Every bad input gives one typed error that names the value, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
import torch
from games import GAMES, VIEWS, assert_same, trace

import stmg_envs
from stmg_envs.errors import (
    InvalidActionError,
    InvalidArgumentError,
    InvalidPriorityError,
    STMGError,
    UnknownNameError,
)
from stmg_envs.matrix import StageGame
from stmg_envs.protocol import GameParallelEnv, TurnBasedEnv, TurnStreamEnv, TurnStreamVectorEnv

PENALTY = "stmg/Penalty-v0"
MAKERS: dict[str, Callable[..., Any]] = {
    "make_game": stmg_envs.make_game,
    "parallel": stmg_envs.parallel_env,
    "aec": stmg_envs.aec_env,
    "stream": stmg_envs.turn_stream,
    "vector": partial(stmg_envs.vector_env, num_envs=2),
    "vector_stream": stmg_envs.vector_turn_stream,
    "gymnasium.make": gymnasium.make,
    "gymnasium.make_vec": gymnasium.make_vec,
    "pettingzoo parallel": partial(pettingzoo.make, "parallel"),
    "pettingzoo aec": partial(pettingzoo.make, "aec"),
}
OURS = ["make_game", "parallel", "aec", "stream", "vector", "vector_stream"]


def named(value: object) -> str:
    """A pattern for the value as messages show it."""
    return re.escape(repr(value))


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Every way to make a game or a view by its id."""
    return MAKERS[request.param]


# --- making ---


@pytest.mark.parametrize("maker", OURS)
@pytest.mark.parametrize(
    "id", ["stmg/Penalty-v1", "stmg/penalty-v0", "stmg/Penalti-v0", "Penalty", "penalty-v0"]
)
def test_unknown_id_suggests_the_near_one(maker: str, id: str) -> None:
    with pytest.raises(UnknownNameError, match=f"{named(id)}.*did you mean stmg/Penalty-v0") as caught:
        MAKERS[maker](id)
    assert isinstance(caught.value, KeyError)


def test_unknown_id_without_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"'xyzzy'.*stmg_envs\.list_envs\(\)"):
        stmg_envs.make_game("xyzzy")


@pytest.mark.parametrize("k", ["-100", True, np.nan, np.inf, None, [1], 1j], ids=repr)
def test_bad_k(make: Callable[..., Any], k: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"k={named(k)} is not a finite number"):
        make(PENALTY, k=k)


@pytest.mark.parametrize("k", [-100, -25.0, np.float32(-50), np.int64(-75)], ids=repr)
def test_good_k(k: float) -> None:
    assert stmg_envs.make_game(PENALTY, k=k).k == k


def test_unknown_argument(make: Callable[..., Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"kk=-100 is no argument of stmg/Penalty-v0; .*\['k'\]"):
        make(PENALTY, kk=-100)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"payoffs": "stag_hound"}, UnknownNameError, "'stag_hound' is no known table.*'stag_hunt'"),
        ({"payoffs": [[1, 2], [3, 4]]}, InvalidArgumentError, r"shape \(2, 2\)"),
        ({"payoffs": [[[1, 2], [3, np.nan]]] * 2}, InvalidArgumentError, "nan"),
        ({"repeats": 0}, InvalidArgumentError, "repeats=0"),
        ({"repeats": 1.5}, InvalidArgumentError, r"repeats=1\.5"),
        ({"repeats": "2"}, InvalidArgumentError, "repeats='2'"),
        ({"target": "best"}, InvalidArgumentError, "target='best'"),
    ],
)
def test_bad_matrix_game(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        stmg_envs.parallel_env("stmg/MatrixGame-v0", **arguments)


@pytest.mark.parametrize("names", [{"agents": ["a_0"]}, {"action_names": ["ab", "abc"]}])
def test_names_that_do_not_fit(names: dict[str, Any]) -> None:
    table = stmg_envs.make_game(PENALTY).table
    with pytest.raises(InvalidArgumentError, match="do not fit"):
        StageGame(table, np.zeros((1, 1)), **names)


@pytest.mark.parametrize("maker", sorted(MAKERS.keys() - {"make_game", "vector"}))
@pytest.mark.parametrize("mode", ["human", "nope", 3])
def test_bad_render_mode(maker: str, mode: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"render_mode={named(mode)}"):
        MAKERS[maker](PENALTY, render_mode=mode)


@pytest.mark.parametrize("maker", ["stream", "vector_stream", "gymnasium.make", "gymnasium.make_vec"])
@pytest.mark.parametrize("reward", ["max", None, 0])
def test_bad_reward_mode(maker: str, reward: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"reward={named(reward)}.*'mean' or 'sum'"):
        MAKERS[maker](PENALTY, reward=reward)


@pytest.mark.parametrize("maker", ["vector_stream", "gymnasium.make_vec"])
@pytest.mark.parametrize("mode", ["next_step", 3])
def test_bad_autoreset_mode(maker: str, mode: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"autoreset_mode={named(mode)}.*NextStep"):
        MAKERS[maker](PENALTY, autoreset_mode=mode)


@pytest.mark.parametrize("maker", [stmg_envs.vector_env, stmg_envs.vector_turn_stream, gymnasium.make_vec])
@pytest.mark.parametrize("num_envs", [0, -1, 2.5, "3"])
def test_bad_num_envs(maker: Callable[..., Any], num_envs: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"num_envs={named(num_envs)}"):
        maker(PENALTY, num_envs=num_envs)


# --- priorities ---

BAD_PRIORITIES = [
    ["agent_0", "agent_0"],
    ["agent_0"],
    ["agent_0", "agent_1", "agent_1"],
    ["agent_0", "agent_9"],
    ["agent_0", 1],
    "agent_0",
    "agent_0agent_1",
    3,
    {"agent_0": 0, "agent_1": 1},
]


@pytest.fixture(params=BAD_PRIORITIES, ids=repr)
def priority(request: pytest.FixtureRequest) -> Any:
    """Everything that is no permutation of the agents, in one way or another."""
    return request.param


@pytest.mark.parametrize("maker", sorted(MAKERS.keys() - {"make_game"}))
def test_bad_priority_when_made(maker: str, priority: object) -> None:
    with pytest.raises(InvalidPriorityError, match=named(priority)):
        MAKERS[maker](PENALTY, priority=priority)


def test_bad_priority_at_reset(view: str, priority: object) -> None:
    env = VIEWS[view](GAMES[PENALTY]())
    before = env.priority
    with pytest.raises(InvalidPriorityError, match=named(priority)):
        env.reset(seed=0, options={"priority": priority})
    assert_same(env.priority, before)


@pytest.mark.parametrize("view", ["parallel", "vector"])
def test_bad_priority_set(view: str, priority: object) -> None:
    env = VIEWS[view](GAMES[PENALTY]())
    with pytest.raises(InvalidPriorityError, match=named(priority)):
        env.priority = priority


@pytest.mark.parametrize(
    "indices",
    [[0, 0], [0, 2], [-1, 0], [0], [0.0, 1.0], [[0, 1]], [[0, 1]] * 4, [[0, 1], [0, 1], [1, 1]]],
    ids=repr,
)
@pytest.mark.parametrize("view", ["vector", "vector_stream"])
def test_bad_priority_of_a_batch(view: str, indices: Any) -> None:
    env = VIEWS[view](GAMES[PENALTY]())
    for bad in (indices, torch.tensor(indices)):
        with pytest.raises(InvalidPriorityError, match=named(bad)):
            env.reset(options={"priority": bad})


# --- actions ---


def step_parallel(env: GameParallelEnv, action: Any) -> Any:
    last = env.possible_agents[-1]
    return env.step({agent: env.action_space(agent).sample() for agent in env.agents} | {last: action})


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "parallel": step_parallel,
    "aec": lambda env, action: env.step(action),
    "stream": lambda env, action: env.step(action),
}
BAD_DISCRETE = [3, -1, 1.0, np.nan, None, "left", True, [0], np.array([0, 1]), np.float32(1), (0,)]
BAD_CONTINUOUS = [
    np.nan,
    None,
    "left",
    0.5,
    [0.5],
    [0.5, np.nan],
    [0.5, np.inf],
    [[0.5, 0.5]],
    [0.5, 0, 0],
    ["a", "b"],
    [[1], [1, 2]],
]


@pytest.mark.parametrize("view", STEPS)
@pytest.mark.parametrize(
    ("name", "action"),
    [*((PENALTY, bad) for bad in BAD_DISCRETE), *(("walk", bad) for bad in BAD_CONTINUOUS)],
    ids=repr,
)
def test_bad_action(view: str, name: str, action: object) -> None:
    env, twin = VIEWS[view](GAMES[name]()), VIEWS[view](GAMES[name]())
    for each in (env, twin):
        each.reset(seed=1)
    with pytest.raises(InvalidActionError, match=f"action {named(action)} of agent_[012]"):
        STEPS[view](env, action)
    assert_same(trace(env, 20), trace(twin, 20))


def test_missing_action() -> None:
    env = GameParallelEnv(GAMES["walk"]())
    env.reset(seed=0)
    actions = {agent: np.zeros(2, np.float32) for agent in env.agents}
    del actions["agent_1"]
    with pytest.raises(InvalidActionError, match="action None of agent_1"):
        env.step(actions)


@pytest.mark.parametrize("view", ["vector", "vector_stream"])
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (PENALTY, lambda actions: actions + 3, r"actions\[0.*\] = [345]"),
        (PENALTY, lambda actions: actions - 3, r"actions\[0.*\] = -[123]"),
        (PENALTY, lambda actions: actions.astype(float), "float64"),
        (PENALTY, lambda actions: actions * np.nan, "float64"),
        (PENALTY, lambda actions: actions[:2], r"shape \(2"),
        (PENALTY, lambda actions: actions[..., None], r"1\) and dtype"),
        (PENALTY, lambda actions: "left", "'left'"),
        (PENALTY, lambda actions: None, "None"),
        (PENALTY, lambda actions: [[0, 1], [0]], r"\[\[0, 1\], \[0\]\]"),
        ("walk", lambda actions: actions * np.nan, r"actions\[0, 0.*\] = nan"),
        ("walk", lambda actions: actions / 0.0, "= -?inf"),
        ("walk", lambda actions: actions[..., :1], r"1\) and dtype"),
        ("walk", lambda actions: actions[:2], r"shape \(2"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # how the infinities are made
def test_bad_actions_of_a_batch(view: str, name: str, change: Callable[[Any], Any], message: str) -> None:
    env, twin = VIEWS[view](GAMES[name]()), VIEWS[view](GAMES[name]())
    for each in (env, twin):
        each.reset(seed=1)
        # So far that some environment of the turn stream is about to start over.
        trace(each, 18)
    shape = (3, 2) if view == "vector" else (3,)
    if name == "walk":
        good = np.full((3, 3, 2) if view == "vector" else (3, 2), 0.5, np.float32)
    else:
        good = np.zeros(shape, np.int64)
    bad = change(good)
    with pytest.raises(InvalidActionError, match=message):
        env.step(torch.as_tensor(bad) if view == "vector" and isinstance(bad, np.ndarray) else bad)
    assert_same(trace(env, 20), trace(twin, 20))


def test_action_beyond_ones_own_count() -> None:
    # In a stream all agents share one action space; beyond its own count an agent's action is wrapped.
    played = []
    for actions in ([2, 2, 1], [2, 2, 3]):
        env = TurnStreamEnv(GameParallelEnv(GAMES["tokens"](), priority=("giver_0", "taker_1", "taker_0")))
        env.reset(seed=0)
        played.append([env.step(action) for action in actions][-1])
    assert_same(*played)
    # Every agent has its own space in the other views, where that is an error.
    turns = TurnBasedEnv(GameParallelEnv(GAMES["tokens"]()))
    turns.reset(seed=0)
    with pytest.raises(
        InvalidActionError, match=r"action 3 of giver_0 is not legal; expected an integer in 0\.\.2"
    ):
        turns.step(3)
    batch = stmg_envs.vector_env("stmg/Meeting-v0", 1)
    batch.reset(seed=0)
    with pytest.raises(InvalidActionError, match=r"actions\[0, 2\] = 2"):
        batch.step(torch.tensor([[2, 2, 2]]))


# --- time ---


def test_step_before_reset(view: str) -> None:
    game = GAMES[PENALTY]()
    env = VIEWS[view](game)
    actions = {"vector": torch.zeros(3, 2, dtype=torch.int64), "vector_stream": np.zeros(3, np.int64)}
    with pytest.raises(InvalidArgumentError, match=r"call reset\(\)"):
        env.step(actions.get(view, {"agent_0": 0, "agent_1": 0} if view == "parallel" else 0))


@pytest.mark.parametrize("ask", ["neighbors", "render", "state"])
def test_asking_before_reset(ask: str) -> None:
    env = GameParallelEnv(GAMES[PENALTY](), "ansi")
    with pytest.raises(InvalidArgumentError, match=r"call reset\(\)"):
        getattr(env, ask)()


def test_step_after_the_end() -> None:
    parallel = GameParallelEnv(GAMES[PENALTY]())
    parallel.reset(seed=0)
    parallel.step({"agent_0": 0, "agent_1": 0})
    # PettingZoo's convention: nobody is left, so there is nothing to say.
    assert parallel.step({}) == ({}, {}, {}, {}, {})

    stream = TurnStreamEnv(GameParallelEnv(GAMES[PENALTY]()))
    stream.reset(seed=0)
    stream.step(0)
    stream.step(0)
    with pytest.raises(InvalidArgumentError, match=r"the episode is over.*call reset\(\)"):
        stream.step(0)

    turns = TurnBasedEnv(GameParallelEnv(GAMES[PENALTY]()))
    turns.reset(seed=0)
    for action in (0, 0, None, None):
        turns.step(action)
    with pytest.raises(InvalidArgumentError, match=r"call reset\(\)"):
        turns.step(0)

    batch = TurnStreamVectorEnv(GAMES[PENALTY](), 2, autoreset_mode="Disabled")
    batch.reset(seed=0)
    batch.step(np.array([0, 0]))
    batch.step(np.array([0, 0]))
    with pytest.raises(InvalidArgumentError, match=r"\[0, 1\] are over"):
        batch.step(np.array([0, 0]))


@pytest.mark.parametrize("mask", [[True], [0, 1], np.array([[True, False]])], ids=repr)
def test_bad_reset_mask(mask: object) -> None:
    env = TurnStreamVectorEnv(GAMES[PENALTY](), 2, autoreset_mode="Disabled")
    env.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match=f"reset_mask={named(mask)}"):
        env.reset(options={"reset_mask": mask})


@pytest.mark.parametrize("seed", [[1, 2], [0.5, 1, 2], "7", 1.5], ids=repr)
def test_bad_seed(seed: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="seed"):
        VIEWS["vector"](GAMES[PENALTY]()).reset(seed=seed)


def test_no_global_state() -> None:
    parallel = GameParallelEnv(GAMES[PENALTY]())
    for env in (parallel, TurnBasedEnv(parallel)):
        env.reset(seed=0)
        assert env.state_space is None
        # As PettingZoo's base class does, and as our other errors are.
        for kind in (NotImplementedError, InvalidArgumentError):
            with pytest.raises(kind, match="Penalty has no global state"):
                env.state()


def test_unknown_agent() -> None:
    env = TurnBasedEnv(GameParallelEnv(GAMES[PENALTY]()))
    env.reset(seed=0)
    with pytest.raises(STMGError, match="agent_7"):
        env.observe("agent_7")
