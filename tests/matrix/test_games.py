"""Matrix games against the published tables, written down here by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import stmg_envs
from stmg_envs.matrix import MatrixGame
from stmg_envs.protocol import GameVectorEnv

Entry = tuple[float, ...]


def common(rows: list[list[float]]) -> list[list[Entry]]:
    return [[(entry, entry) for entry in row] for row in rows]


COORDINATION_END = [[(0, 0), (0, 0), (5, 10)], [(30, 0), (10, 5), (0, 0)], [(20, 15), (0, 0), (0, 0)]]
ONE_SHOT: dict[tuple[str, tuple[tuple[str, Any], ...]], Any] = {
    ("Penalty", ()): common([[0, 0, 10], [0, 2, 0], [8, 0, 0]]),
    **{
        ("Penalty", (("k", k),)): common([[k, 0, 10], [0, 2, 0], [8, 0, k]])
        for k in (0, -25, -50, -75, -100, -1000, -10000)
    },
    ("Mixing", ()): [
        [(0, 5), (-10, -5), (-8, 4)],
        [(-5, -10), (-5, 0), (-15, -5)],
        [(5, 0), (-10, -5), (-10, 5)],
    ],
    ("PrisonersDilemma", ()): [[(10, 10), (0, 18)], [(18, 0), (2, 2)]],
    ("Maintain", ()): [[(20, 15), (0, 0), (0, 0)], [(30, 0), (10, 5), (0, 0)], [(0, 0), (0, 0), (5, 10)]],
    ("Escape", ()): common([[15, 10, 0], [10, 10, 0], [0, 0, 30]]),
    ("HuntingStage", ()): [[(15, -5), (5, 0)], [(0, -5), (0, 0)]],
    ("CollectionStage", ()): [[(10, 5), (20, 0)], [(0, 10), (0, 0)]],
    # Gus, then Henry, then Scooter, who has no classroom.
    ("Meeting", ()): [
        [[(4, 5, 4), (3, 3, 1)], [(3, 1, 3), (1, 1, 1)], [(3, 1, 3), (1, 4, 4)]],
        [[(1, 3, 3), (1, 1, 1)], [(3, 3, 1), (3, 3, 1)], [(1, 1, 1), (1, 4, 4)]],
        [[(1, 3, 3), (4, 1, 4)], [(1, 1, 1), (4, 1, 4)], [(4, 4, 1), (7, 7, 6)]],
    ],
    ("MatrixGame", ()): [[(4, 4), (0, 3)], [(3, 0), (2, 2)]],
    ("MatrixGame", (("payoffs", "stag_hunt"),)): [[(4, 4), (0, 3)], [(3, 0), (2, 2)]],
    ("MatrixGame", (("payoffs", "chicken"),)): [[(0, 0), (-1, 1)], [(1, -1), (-10, -10)]],
    ("MatrixGame", (("payoffs", "matching_pennies"),)): [[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]],
    ("MatrixGame", (("payoffs", "battle_of_the_sexes"),)): [[(3, 2), (0, 0)], [(0, 0), (2, 3)]],
    ("MatrixGame", (("payoffs", "climbing"),)): common([[11, -30, 0], [-30, 7, 6], [0, 0, 5]]),
}


def play_all(env: GameVectorEnv, joints: list[tuple[int, ...]]) -> Any:
    """One joint step, a joint action per environment."""
    return env.step(torch.tensor(joints))


@pytest.mark.parametrize(("name", "arguments"), ONE_SHOT)
def test_one_shot_payoffs(name: str, arguments: tuple[tuple[str, Any], ...]) -> None:
    expected = np.array(ONE_SHOT[name, arguments], dtype=np.float32)
    joints = list(np.ndindex(expected.shape[:-1]))
    env = stmg_envs.vector_env(f"stmg/{name}-v0", len(joints), **dict(arguments))
    observations, _ = env.reset(seed=0)
    assert not observations["observation"].any() and observations["observation"].shape[-1] == 1
    assert env.game.action_counts == expected.shape[:-1]
    observations, rewards, terminated, truncated, _ = play_all(env, joints)
    assert np.array_equal(rewards.numpy(), expected.reshape(len(joints), -1))
    assert terminated.all() and not truncated.any()
    assert not observations["observation"].any()


@pytest.mark.parametrize(
    ("name", "returns"),
    [
        ("Penalty", [[10, 10]]),
        ("Coordination", [[29, 24]]),
        ("Cooperation", [[13, 13]]),
        ("PrisonersDilemma", [[10, 10]]),
        ("Maintain", [[20, 15]]),
        ("Escape", [[30, 30]]),
        ("Meeting", [[7, 7, 6]]),
        ("HuntingStage", [[15, -5]]),
        ("CollectionStage", [[20, 0]]),
        ("MatrixGame", [[4, 4]]),
    ],
)
def test_optimum(name: str, returns: list[list[float]]) -> None:
    game = stmg_envs.make_game(f"stmg/{name}-v0")
    for order in itertools.permutations(range(game.n)):
        optimum = game.optimal_returns(order)
        assert optimum is not None and optimum.tolist() == returns


def test_optimum_of_mixing_depends_on_who_leads() -> None:
    game = stmg_envs.make_game("stmg/Mixing-v0")
    assert np.array_equal(game.optimal_returns((0, 1)), [[0, 5]])
    assert np.array_equal(game.optimal_returns((1, 0)), [[-8, 4]])


@pytest.mark.parametrize(
    ("arguments", "returns"),
    [
        ({"payoffs": "battle_of_the_sexes"}, [[2, 3], [3, 2]]),
        ({"payoffs": "battle_of_the_sexes", "target": "stackelberg"}, [[3, 2]]),
        ({"payoffs": "stag_hunt", "memory": True}, [[4, 4]]),
        ({"payoffs": "stag_hunt", "repeats": 3}, None),
    ],
)
def test_optimum_of_any_game(arguments: dict[str, Any], returns: list[list[float]] | None) -> None:
    optimum = MatrixGame(**arguments).optimal_returns((0, 1))
    assert (optimum if optimum is None else optimum.tolist()) == returns


# --- games in steps ---

BRANCHES = {"Coordination": ((0, 0), (2, 2)), "Cooperation": ((0, 0), (1, 1))}
ENDS = {
    "Coordination": (COORDINATION_END, COORDINATION_END),
    "Cooperation": (common([[1, 1], [1, 4]]), common([[1, 1], [1, 1]])),
}


def shown(step: int, branch: int) -> torch.Tensor:
    """One-hot(step, 11) ++ one-hot(branch, 4); no branch yet is slot 3."""
    observation = torch.zeros(15)
    observation[[step, 11 + (branch if step else 3)]] = 1
    return observation


@pytest.mark.parametrize("branch", [0, 1])
@pytest.mark.parametrize("name", BRANCHES)
def test_ten_steps(name: str, branch: int) -> None:
    entry, end = BRANCHES[name][branch], np.array(ENDS[name][branch])
    joints = list(np.ndindex(end.shape[:2]))
    env = stmg_envs.vector_env(f"stmg/{name}-v0", len(joints))
    observations, _ = env.reset(seed=0)
    for step in range(9):
        assert (observations["observation"] == shown(step, branch)).all()
        observations, rewards, terminated, *_ = play_all(env, [entry] * len(joints))
        assert (rewards == 1).all() and not terminated.any()
    assert (observations["observation"] == shown(9, branch)).all()
    _, rewards, terminated, truncated, info = play_all(env, joints)
    assert np.array_equal(rewards.numpy(), end.reshape(-1, 2))
    assert terminated.all() and not truncated.any()
    assert (info["final"]["observation"] == shown(9, branch)).all()


@pytest.mark.parametrize("step", [0, 1, 8])
@pytest.mark.parametrize("name", BRANCHES)
def test_anything_else_pays_nothing_and_ends_the_episode(name: str, step: int) -> None:
    entry = BRANCHES[name][1]
    joints = list(np.ndindex(np.shape(ENDS[name][0])[:2]))
    env = stmg_envs.vector_env(f"stmg/{name}-v0", len(joints))
    env.reset(seed=0)
    for _ in range(step):
        play_all(env, [entry] * len(joints))
    _, rewards, terminated, *_ = play_all(env, joints)
    goes_on = set(BRANCHES[name]) if step == 0 else {entry}
    assert rewards.tolist() == [[float(joint in goes_on)] * 2 for joint in joints]
    assert terminated.tolist() == [joint not in goes_on for joint in joints]


# --- any payoffs, any number of agents, again and again ---


def test_repeated_play_with_memory() -> None:
    payoffs = np.arange(12.0).reshape(2, 3, 2)
    env = GameVectorEnv(MatrixGame(payoffs, repeats=3, memory=True), 1)
    observations, _ = env.reset(seed=0)
    seen, paid = [observations["observation"][0, 1].tolist()], []
    for joint in ((2, 1), (1, 0), (0, 1)):
        _, rewards, terminated, truncated, info = play_all(env, [joint])
        seen.append(info["final"]["observation"][0, 0].tolist())
        paid.append(rewards[0].tolist())
    assert seen == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]]
    assert paid == [[5, 11], [2, 8], [1, 7]]
    assert truncated.all() and not terminated.any()


def test_repeated_play_without_memory() -> None:
    env = GameVectorEnv(MatrixGame("climbing", repeats=2), 1)
    env.reset(seed=0)
    for _ in range(3):
        observations, rewards, *_ = play_all(env, [(0, 0)])
        assert rewards.tolist() == [[11, 11]]
        assert not observations["observation"].any()


@pytest.mark.parametrize("counts", [(4,), (2, 3), (3, 1, 2), (2, 2, 2, 2, 2)])
def test_any_number_of_agents(counts: tuple[int, ...]) -> None:
    payoffs = np.random.default_rng(0).integers(-9, 9, (len(counts), *counts))
    joints = list(np.ndindex(*counts))
    env = GameVectorEnv(MatrixGame(payoffs.tolist()), len(joints))
    assert env.agents == tuple(f"agent_{index}" for index in range(len(counts)))
    observations, _ = env.reset(seed=0)
    legal = observations["action_mask"][0].sum(dim=-1).tolist()
    assert tuple(legal) == env.game.action_counts == counts
    _, rewards, *_ = play_all(env, joints)
    assert rewards.tolist() == [payoffs[:, *joint].tolist() for joint in joints]


def test_agents_are_named_by_their_roles() -> None:
    names = {
        name: stmg_envs.make_game(f"stmg/{name}-v0").agents for name in ("Meeting", "HuntingStage", "Penalty")
    }
    assert names == {
        "Meeting": ("gus_0", "henry_0", "scooter_0"),
        "HuntingStage": ("attacker_0", "interceptor_0"),
        "Penalty": ("agent_0", "agent_1"),
    }


def test_games_of_one_class_are_independent() -> None:
    first, second = MatrixGame("chicken"), MatrixGame("chicken")
    first.table.payoffs[:] = 0
    assert second.table.payoffs.any()
    assert MatrixGame("chicken").table.payoffs.any()
