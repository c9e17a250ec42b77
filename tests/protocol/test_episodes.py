"""Batches of episodes: autoreset, ends and time limits, priorities, neighbours, snapshots."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from games import GAMES, VIEWS, Walk, assert_same, sample_batch, trace

import stmg_envs
from stmg_envs.matrix import StageGame
from stmg_envs.protocol import Episodes, Game, GameParallelEnv, GameVectorEnv


def play(env: GameVectorEnv, steps: int, seed: int = 0) -> list[Any]:
    """Random play, the same for the same seed."""
    return [env.step(sample_batch(env, np.random.default_rng([seed, step]))) for step in range(steps)]


def play_from_start(name: str, steps: int) -> list[Any]:
    env = GameVectorEnv(GAMES[name](), 8)
    env.reset(seed=0)
    return play(env, steps)


# --- ends ---


def test_autoreset_gives_the_final_observation_and_the_next_first_one(game: Game) -> None:
    env, twin = GameVectorEnv(game, 6), Episodes(game, 6)
    env.reset(seed=2)
    twin.reset(2)
    ended = 0
    for step in range(max(30, 1 + (game.max_steps or 0))):
        actions = sample_batch(env, np.random.default_rng(step))
        observations, rewards, terminated, truncated, info = env.step(actions)
        transition = twin.step(actions)
        assert_same(
            (rewards, terminated, truncated),
            (transition.rewards, transition.terminated, transition.truncated),
        )
        assert_same(info["final"], twin.observe())
        twin.restart(transition.done)
        assert_same(observations, twin.observe())
        ended += int(transition.done.sum())
        for name, values in observations.items():
            assert torch.equal(values[~transition.done], info["final"][name][~transition.done])
    assert ended > 0


def test_shapes_and_types(game: Game) -> None:
    env = GameVectorEnv(game, 4)
    observations, info = env.reset(seed=0)
    assert info == {}
    (observations_too, rewards, terminated, truncated, info) = play(env, 1)[0]
    expected = {
        "observation": ((4, game.n, *game.observation_space.shape), torch.float32),
        "alive": ((4, game.n), torch.bool),
    }
    if game.discrete:
        expected["action_mask"] = ((4, game.n, game.action_width), torch.bool)
    if game.state_space is not None:
        expected["state"] = ((4, *game.state_space.shape), torch.float32)
    for view in (observations, observations_too, info["final"]):
        assert {name: (tuple(value.shape), value.dtype) for name, value in view.items()} == expected
    assert (rewards.shape, rewards.dtype) == ((4, game.n), torch.float32)
    for flags in (terminated, truncated):
        assert (flags.shape, flags.dtype) == ((4,), torch.bool)


def test_time_limits_truncate() -> None:
    for _, _, terminated, truncated, _ in play_from_start("repeated", 4):
        assert not terminated.any() and not truncated.any()
    *_, (_, _, terminated, truncated, _) = play_from_start("repeated", 5)
    assert not terminated.any() and truncated.all()


def test_rules_terminate() -> None:
    (_, _, terminated, truncated, _) = play_from_start("stmg/Penalty-v0", 1)[0]
    assert terminated.all() and not truncated.any()


@pytest.mark.parametrize("name", ["walk", "tokens"])
def test_an_episode_ends_in_one_way(name: str) -> None:
    ends = torch.stack([torch.stack(said[2:4]) for said in play_from_start(name, 60)])
    assert ends.any(dim=0).all(dim=-1).any(), "both ends must happen for this test to mean something"
    assert not ends.all(dim=1).any()


def test_who_is_out_stays_in_the_tensors() -> None:
    played = play_from_start("walk", 60)
    seen = 0
    for (before, *_), (_, rewards, _, _, info) in itertools.pairwise(played):
        out = ~before["alive"]
        seen += int(out.sum())
        assert not rewards[out].any()
        assert not info["final"]["alive"][out].any()
    assert seen > 0


# --- priority ---


def walk_with(order: Any) -> GameVectorEnv:
    env = GameVectorEnv(Walk(), 4)
    env.reset(seed=0, options={"priority": order})
    return env


@pytest.mark.parametrize("order", [["agent_1", "agent_2", "agent_0"], [1, 2, 0], torch.tensor([1, 2, 0])])
def test_one_priority_for_the_batch(order: Any) -> None:
    env = walk_with(order)
    for priority in (env.priority, GameVectorEnv(Walk(), 4).priority):
        assert priority.dtype == torch.int64 and priority.shape == (4, 3)
    assert env.priority.tolist() == [[1, 2, 0]] * 4


def test_a_priority_for_every_slot() -> None:
    orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]]
    env = walk_with(orders)
    assert env.priority.tolist() == orders
    env.priority = orders[::-1]
    assert env.priority.tolist() == orders[::-1]


def test_priority_stays_until_it_is_set_again(view: str) -> None:
    env = VIEWS[view](Walk())
    order = ("agent_1", "agent_0", "agent_2")
    env.reset(seed=0, options={"priority": list(order)})
    for _ in range(3):
        trace(env, 30)
        env.reset()
        priority = env.priority
        assert np.array_equal(priority, order if isinstance(priority, tuple) else [[1, 0, 2]] * 3)


def test_default_priority_is_the_games(view: str) -> None:
    priority = VIEWS[view](Walk()).priority
    if isinstance(priority, tuple):
        assert priority == ("agent_2", "agent_0", "agent_1")
    else:
        assert priority.tolist() == [[2, 0, 1]] * 3


def test_priority_at_construction() -> None:
    assert GameParallelEnv(Walk(), priority=["agent_1", "agent_0", "agent_2"]).priority[0] == "agent_1"
    env = stmg_envs.vector_env("stmg/Mixing-v0", 2, priority=[[0, 1], [1, 0]])
    assert env.priority.tolist() == [[0, 1], [1, 0]]


def test_the_joint_step_does_not_depend_on_the_priority(game: Game) -> None:
    played = []
    for order in (range(game.n), reversed(range(game.n))):
        env = GameVectorEnv(game, 3)
        env.reset(seed=1, options={"priority": list(order)})
        played.append(play(env, 20))
    assert_same(*played)


# --- neighbours ---


def test_every_view_has_the_same_neighbours(game: Game) -> None:
    graphs = []
    for make in VIEWS.values():
        env = make(game)
        env.reset(seed=4)
        adjacency = np.asarray(env.neighbors())
        assert adjacency.dtype == bool
        graphs.append(adjacency if adjacency.ndim == 2 else adjacency[0])
        if hasattr(env, "neighbor_graph"):
            graph = env.neighbor_graph()
            assert list(graph) == list(game.agents)
            assert np.array_equal(nx.to_numpy_array(graph, dtype=bool), graphs[-1])
    for graph in graphs:
        assert np.array_equal(graph, graphs[0])
        assert np.array_equal(graph, graph.T) and not graph.diagonal().any()
    if isinstance(game, StageGame) and game.n == 2:
        assert graphs[0].tolist() == [[False, True], [True, False]]


def test_neighbours_change_with_the_state() -> None:
    env = GameVectorEnv(Walk(), 20)
    env.reset(seed=0)
    before = env.neighbors()
    assert before.any() and not before.all()
    play(env, 3)
    assert not torch.equal(env.neighbors(), before)


# --- episodes ---


def test_restart_leaves_the_others_alone(game: Game) -> None:
    episodes, others = Episodes(game, 4), Episodes(game, 4)
    where = torch.tensor([True, False, True, False])
    env = GameVectorEnv(game, 4)
    for each in (episodes, others):
        each.reset(8)
        each.step(sample_batch(env, np.random.default_rng(0)))
    episodes.restart(where)
    assert episodes.elapsed.tolist() == [0, 1, 0, 1]
    assert episodes.episode.tolist() == [1, 0, 1, 0]
    for name, value in episodes.state.items():
        assert torch.equal(value[~where], others.state[name][~where])
    actions = sample_batch(env, np.random.default_rng(1))
    left, right = episodes.step(actions), others.step(actions)
    assert torch.equal(left.rewards[~where], right.rewards[~where])


def test_step_of_some_leaves_the_others_alone(game: Game) -> None:
    episodes = Episodes(game, 4)
    episodes.reset(8)
    before, first = dict(episodes.state), episodes.observe()
    where = torch.tensor([True, False, True, False])
    transition = episodes.step(sample_batch(GameVectorEnv(game, 4), np.random.default_rng(0)), where)
    assert episodes.elapsed.tolist() == [1, 0, 1, 0]
    assert not transition.rewards[~where].any() and not transition.done[~where].any()
    for name, value in episodes.state.items():
        assert torch.equal(value[~where], before[name][~where])
    for name, value in episodes.observe().items():
        assert torch.equal(value[~where], first[name][~where])


def test_snapshot_and_restore_continue_identically(game: Game) -> None:
    env = GameVectorEnv(game, 3)
    env.reset(seed=6, options={"priority": list(reversed(range(game.n)))})
    play(env, 11)
    expected = play(copy.deepcopy(env), 25, seed=1)
    snapshot = env.episodes.snapshot()
    kept = {name: value.clone() for name, value in snapshot.items()}
    # Whatever happens afterwards, also new seeds and orders, a snapshot stays what it was.
    env.reset(seed=77, options={"priority": list(range(game.n))})
    play(env, 5)
    assert_same(snapshot, kept)
    for other in (env, GameVectorEnv(game, 3)):
        other.episodes.restore(snapshot)
        assert other.priority.tolist() == [list(reversed(range(game.n)))] * 3
        assert_same(play(other, 25, seed=1), expected)


def test_every_step_and_episode_has_its_own_randomness() -> None:
    env = GameVectorEnv(Walk(), 1)
    still = torch.zeros(1, 3, 2)
    noise = []
    for _ in range(2):
        position = env.reset(seed=3 if not noise else None)[0]["observation"]
        for _ in range(2):
            final = env.step(still)[4]["final"]["observation"]
            noise.append((final - position)[..., :2].flatten().tolist())
            position = final
    assert len({tuple(np.round(numbers, 6)) for numbers in noise}) == 4


def test_seeds_of_a_batch() -> None:
    env = GameVectorEnv(Walk(), 3)
    consecutive = env.reset(seed=5)[0]
    assert_same(env.reset(seed=[5, 6, 7])[0], consecutive)
    assert_same(env.reset(seed=torch.tensor([5, 6, 7]))[0], consecutive)
    first, second = env.reset()[0], env.reset()[0]
    assert not torch.equal(first["observation"], second["observation"])


def test_metrics_are_told() -> None:
    env = GameVectorEnv(Walk(), 3)
    env.reset(seed=0)
    info = play(env, 1)[0][4]
    assert torch.equal(info["metrics"]["inside"], info["final"]["alive"].sum(dim=1).float())
    parallel = GameParallelEnv(Walk())
    parallel.reset(seed=0)
    *_, infos = parallel.step({agent: np.zeros(2, np.float32) for agent in parallel.agents})
    assert infos["agent_0"]["inside"] == 3
