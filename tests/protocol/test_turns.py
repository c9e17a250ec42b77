"""The protocol's two promises: leaders never see followers, and turns play the same game as joint steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from games import (
    GAMES,
    Walk,
    assert_joint_game_in_turns,
    assert_leaders_blind,
    assert_same,
    is_out,
    random_order,
    sample,
    sample_joint,
)
from gymnasium.vector import AutoresetMode
from pettingzoo import AECEnv

from stmg_envs.protocol import Game, GameParallelEnv, TurnBasedEnv, TurnStreamEnv, TurnStreamVectorEnv

SEEDS = [0, 1, 2]
Env = AECEnv[str, Any, Any] | gymnasium.Env[Any, Any]
VIEWS_IN_TURNS: list[Callable[[GameParallelEnv], Env]] = [TurnBasedEnv, TurnStreamEnv]


# --- leaders never see followers ---


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("view", VIEWS_IN_TURNS)
def test_leader_never_sees_follower(game: Game, view: Callable[[GameParallelEnv], Env], seed: int) -> None:
    assert_leaders_blind(lambda: view(GameParallelEnv(game)), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_leader_never_sees_follower_in_a_batch(game: Game, seed: int) -> None:
    env = TurnStreamVectorEnv(game, 5, autoreset_mode=AutoresetMode.SAME_STEP)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(game.n) for _ in range(env.num_envs)]
    view, _ = env.reset(seed=seed, options={"priority": np.array(orders)})
    for _ in range(seed * game.n + seed):
        view = env.step(sample(env.action_space, rng))[0]
    # Every environment stands at some rank; from that or a later one on we change what its agents do.
    twin = copy.deepcopy(env)
    change = rng.integers(view["rank"], game.n)
    running = np.ones(env.num_envs, dtype=bool)
    for _ in range(game.n):
        rank = view["rank"]
        action = rng.integers(2, size=env.num_envs) if game.discrete else sample(env.action_space, rng)
        other = 1 - action if game.discrete else action / 2
        changed = (rank >= change).reshape(-1, *[1] * (action.ndim - 1))
        view, _, terminated, truncated, info = env.step(action)
        view_too, *_, info_too = twin.step(np.where(changed, other, action))
        running &= ~(info["timestep_end"] | terminated | truncated)
        for slot in np.flatnonzero(running):
            seen, seen_too = ({name: rows[slot] for name, rows in said.items()} for said in (view, view_too))
            if rank[slot] < change[slot]:
                assert_same(seen, seen_too)
                assert_same(info["agent"][slot], info_too["agent"][slot])
            else:
                assert (seen["leader_actions"] != seen_too["leader_actions"]).any()


def test_rows_of_superiors_are_their_actions() -> None:
    env = TurnBasedEnv(GameParallelEnv(Walk(), priority=("agent_1", "agent_2", "agent_0")))
    env.reset(seed=0)
    env.step(np.array([0.5, -1], np.float32))
    assert env.last()[0]["leader_actions"].tolist() == [[0.5, -1], [0, 0], [0, 0]]
    env.step(np.array([0.25, 0], np.float32))
    view = env.last()[0]
    assert view["leader_actions"].tolist() == [[0.5, -1], [0.25, 0], [0, 0]]
    assert (view["rank"], view["agent"]) == (2, 0)
    # Asked again, superiors still see what they saw on their turns.
    assert env.observe("agent_2")["leader_actions"].tolist() == [[0.5, -1], [0, 0], [0, 0]]
    assert not env.observe("agent_1")["leader_actions"].any()


def test_rows_of_discrete_superiors_are_one_hot() -> None:
    env = TurnBasedEnv(GameParallelEnv(GAMES["tokens"](), priority=("taker_0", "taker_1", "giver_0")))
    env.reset(seed=0)
    env.step(1)
    env.step(3)
    assert env.last()[0]["leader_actions"].tolist() == [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


# --- turns play the same game as joint steps ---


@pytest.mark.parametrize("seed", SEEDS)
def test_agent_turns_equal_joint_steps(game: Game, seed: int) -> None:
    assert_joint_game_in_turns(GameParallelEnv(game), TurnBasedEnv(GameParallelEnv(game)), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_turn_stream_equals_joint_steps(game: Game, seed: int) -> None:
    joint, stream = GameParallelEnv(game), TurnStreamEnv(GameParallelEnv(game))
    rng = np.random.default_rng(seed)
    for episode in range(3):
        episode_seed = seed if episode == 0 else None
        order = random_order(game.agents, rng)
        observations, infos = joint.reset(episode_seed)
        view, info = stream.reset(seed=episode_seed, options={"priority": order})
        while joint.agents:
            actions = sample_joint(joint, rng)
            living = [agent for agent in order if agent in actions]
            for agent in living:
                assert info["agent"] == agent
                size = len(observations[agent])
                assert_same(view["observation"][:size], observations[agent])
                if game.discrete:
                    counts = len(infos[agent]["action_mask"])
                    assert_same(view["action_mask"][:counts], infos[agent]["action_mask"])
                if game.state_space is not None:
                    assert_same(view["state"], joint.state())
                view, reward, terminated, truncated, info = stream.step(actions[agent])
                if agent != living[-1]:
                    assert (reward, terminated, truncated, info["timestep_end"]) == (0.0, False, False, False)
                    assert not info["rewards"].any()
            observations, rewards, terminations, truncations, infos = joint.step(actions)
            paid = np.array([rewards.get(agent, 0.0) for agent in game.agents], np.float32)
            assert_same(info["rewards"], paid)
            assert reward == pytest.approx(paid.mean(dtype=np.float64))
            assert info["timestep_end"]
            assert (terminated or truncated) == (not joint.agents)
            assert terminated == (not joint.agents and all(terminations.values()))
            assert not (terminated and any(truncations.values()))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_batched_turns_equal_joint_steps(game: Game, mode: AutoresetMode) -> None:
    rng = np.random.default_rng(7)
    orders = np.array([rng.permutation(game.n) for _ in range(4)])
    env = TurnStreamVectorEnv(game, 4, autoreset_mode=mode, priority=orders)
    rows = [GameParallelEnv(game) for _ in orders]
    view, info = env.reset(seed=30)
    observations = [row.reset(seed=30 + slot)[0] for slot, row in enumerate(rows)]
    decided: list[dict[str, Any]] = [{} for _ in rows]
    over = np.zeros(4, dtype=bool)
    for _ in range(50):
        for slot, row in enumerate(rows):
            if not over[slot]:
                assert_same(view["observation"][slot], observations[slot][info["agent"][slot]])
                decided[slot] = decided[slot] or sample_joint(row, rng)
        actions = sample(env.action_space, rng)
        for slot in np.flatnonzero(~over):
            actions[slot] = decided[slot][info["agent"][slot]]
        view, rewards, terminated, truncated, info = env.step(actions)
        for slot, row in enumerate(rows):
            if over[slot]:
                observations[slot] = row.reset()[0]
            ended = terminated[slot] or truncated[slot]
            final = mode == AutoresetMode.SAME_STEP and ended
            said = info["final_info"] if final else info
            if said["timestep_end"][slot]:
                observations[slot], paid, *_ = row.step(decided[slot])
                decided[slot] = {}
                assert said["rewards"][slot].tolist() == [paid.get(agent, 0.0) for agent in game.agents]
                assert rewards[slot] == pytest.approx(sum(paid.values()) / game.n)
                assert ended == (not row.agents)
                if final:
                    observations[slot] = row.reset()[0]
            else:
                assert rewards[slot] == 0 and not ended
        over = (terminated | truncated) & (mode == AutoresetMode.NEXT_STEP)


def test_agents_that_are_out_are_skipped_and_keep_their_rank() -> None:
    env = TurnBasedEnv(GameParallelEnv(Walk(), priority=("agent_0", "agent_1", "agent_2")))
    env.reset(seed=0)
    still, away = np.zeros(2, np.float32), np.ones(2, np.float32)
    while "agent_0" in env.agents:
        agent = env.agent_selection
        env.step(None if is_out(env, agent) else away if agent == "agent_0" else still)
    assert env.agents == ["agent_1", "agent_2"]
    view = env.last()[0]
    assert (view["rank"], view["agent"]) == (1, 1)
    env.step(away)
    assert env.observe("agent_2")["leader_actions"].tolist() == [[0, 0], [1, 1], [0, 0]]
