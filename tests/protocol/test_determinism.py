"""Same seed, same trajectory: in every view, alone and in a batch, copied and pickled."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from games import VIEWS, Walk, assert_same, sample_batch, trace
from torch import Tensor

from stmg_envs.protocol import Game, GameParallelEnv, GameVectorEnv


def test_same_seed_same_trajectory(game: Game, view: str) -> None:
    first, second = VIEWS[view](game), VIEWS[view](game)
    starts = first.reset(seed=3), second.reset(seed=3)
    assert_same(*starts)
    played = trace(first, 60)
    assert_same(played, trace(second, 60))
    # An environment that has been used starts over like a new one.
    assert_same(first.reset(seed=3), starts[0])
    assert_same(trace(first, 60), played)


def test_another_seed_another_trajectory(view: str) -> None:
    env = VIEWS[view](Walk())
    env.reset(seed=3)
    played = trace(env, 20)
    env.reset(seed=4000)
    with pytest.raises(AssertionError):
        assert_same(trace(env, 20), played)


def test_without_a_seed_episodes_differ() -> None:
    starts = [GameParallelEnv(Walk()).reset()[0]["agent_0"] for _ in range(2)]
    assert not np.array_equal(*starts)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_continue_identically(game: Game, view: str, twin: Callable[[Any], Any]) -> None:
    env = VIEWS[view](game)
    env.reset(seed=1)
    trace(env, 7)
    other = twin(env)
    assert_same(trace(other, 30), trace(env, 30))


def test_slot_of_a_batch_is_a_single_environment(game: Game) -> None:
    batch = GameVectorEnv(game, 4)
    singles = [GameParallelEnv(game) for _ in range(batch.num_envs)]
    observations, _ = batch.reset(seed=20)
    for slot, single in enumerate(singles):
        _assert_same_view(single, single.reset(seed=20 + slot)[0], observations, slot)
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = sample_batch(batch, rng)
        observations, rewards, terminated, truncated, info = batch.step(actions)
        for slot, single in enumerate(singles):
            acted = list(single.agents)
            joint = {agent: own_action(game, agent, actions[slot]) for agent in acted}
            own, paid, _, _, infos = single.step(joint)
            _assert_same_view(single, own, info["final"], slot)
            assert list(paid.values()) == [rewards[slot, game.agents.index(agent)] for agent in acted]
            for name, values in info["metrics"].items():
                assert {infos[agent][name] for agent in acted} == {values[slot].item()}
            over = bool(terminated[slot] | truncated[slot])
            assert over == (not single.agents)
            _assert_same_view(single, single.reset()[0] if over else own, observations, slot)


def own_action(game: Game, agent: str, actions: Tensor) -> Any:
    """What one agent does, without the zeros that fill up shorter actions."""
    index = game.agents.index(agent)
    action = actions[index].numpy()
    return action if game.discrete else action[: game.action_spaces[index].shape[0]]


def _assert_same_view(
    single: GameParallelEnv, own: dict[str, Any], observations: dict[str, Any], slot: int
) -> None:
    row = {name: value[slot].numpy() for name, value in observations.items()}
    index = {agent: single.possible_agents.index(agent) for agent in own}
    for agent, observation in own.items():
        assert_same(observation, row["observation"][index[agent]])
    assert [agent for agent in own if row["alive"][index[agent]]] == single.agents or not single.agents
    if "state" in row:
        assert_same(single.state(), row["state"])


@pytest.mark.parametrize("size", [1, 2, 17])
def test_slot_does_not_depend_on_the_batch(game: Game, size: int) -> None:
    def play(seeds: list[int]) -> list[Any]:
        env = GameVectorEnv(game, len(seeds))
        said = [env.reset(seed=seeds)[0]]
        for step in range(20):
            actions = sample_batch(GameVectorEnv(game, 1), np.random.default_rng(step))
            observations, *rest, info = env.step(actions.expand(len(seeds), *actions.shape[1:]))
            said += [observations, dict(enumerate(rest)), info["final"], info["metrics"]]
        return [{name: value[-1] for name, value in record.items()} for record in said]

    assert_same(play([*range(100, 99 + size), 5]), play([5]))
