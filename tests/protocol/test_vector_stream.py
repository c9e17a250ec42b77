"""The native batch of turn streams equals Gymnasium's own batch of single turn streams."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from games import GAMES, assert_same, random_order, sample, trace
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

import stmg_envs
from stmg_envs.protocol import GameParallelEnv, TurnStreamEnv, TurnStreamVectorEnv

SLOTS = 4


def both(name: str, mode: AutoresetMode, **kwargs: Any) -> tuple[VectorEnv, VectorEnv]:
    """The native batch and the batch of singles, through Gymnasium where the game is registered."""
    if name in stmg_envs.list_envs():
        native = gymnasium.make_vec(name, num_envs=SLOTS, autoreset_mode=mode, **kwargs)
        single = partial(gymnasium.make, name, **kwargs)
    else:
        native = TurnStreamVectorEnv(GAMES[name](), SLOTS, autoreset_mode=mode, **kwargs)
        single = lambda: TurnStreamEnv(GameParallelEnv(GAMES[name]()), **kwargs)  # noqa: E731
    assert isinstance(native, TurnStreamVectorEnv)
    return native, SyncVectorEnv([single] * SLOTS, autoreset_mode=mode)


def assert_same_play(native: VectorEnv, singles: VectorEnv, steps: int, rng: np.random.Generator) -> int:
    """Step both and compare everything; returns how many episodes ended."""
    ended = 0
    for _ in range(steps):
        actions = sample(native.action_space, rng)
        left, right = native.step(actions), singles.step(actions)
        assert_same(left, right)
        over = left[2] | left[3]
        ended += over.sum()
        if native.metadata["autoreset_mode"] == AutoresetMode.DISABLED and over.any():
            # Running episodes may be given up as well.
            mask = over | (rng.random(SLOTS) < 0.2)
            assert_same(*(env.reset(options={"reset_mask": mask.copy()}) for env in (native, singles)))
    return ended


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("mode", AutoresetMode)
def test_equals_a_batch_of_singles(name: str, mode: AutoresetMode) -> None:
    native, singles = both(name, mode)
    assert native.single_observation_space == singles.single_observation_space
    assert native.observation_space == singles.observation_space
    assert native.action_space == singles.action_space
    rng = np.random.default_rng(0)
    assert_same(native.reset(seed=3), singles.reset(seed=3))
    game = GAMES[name]()
    turns = max(70, game.n * ((game.max_steps or 0) + 1))
    assert assert_same_play(native, singles, turns, rng) > 0
    # A new order and no seed: the next episodes of the same seeds, from wherever each one stands.
    order = random_order(game.agents, rng)
    assert_same(*(env.reset(options={"priority": order}) for env in (native, singles)))
    assert_same_play(native, singles, 20, rng)
    assert_same(native.reset(seed=[5, 1, 1, 8]), singles.reset(seed=[5, 1, 1, 8]))
    assert_same_play(native, singles, 20, rng)
    native.close()
    singles.close()


@pytest.mark.parametrize("name", ["stmg/Coordination-v0", "walk", "tokens"])
def test_sum_of_rewards(name: str) -> None:
    native, singles = both(name, AutoresetMode.SAME_STEP, reward="sum")
    assert_same(native.reset(seed=9), singles.reset(seed=9))
    assert_same_play(native, singles, 60, np.random.default_rng(1))


def test_masked_reset_takes_a_seed_and_an_order() -> None:
    native, singles = both("walk", AutoresetMode.DISABLED)
    rng = np.random.default_rng(2)
    assert_same(native.reset(seed=3), singles.reset(seed=3))
    assert_same_play(native, singles, 5, rng)
    mask = np.array([True, False, True, False])
    order = ["agent_1", "agent_0", "agent_2"]
    said = [
        env.reset(seed=40, options={"reset_mask": mask.copy(), "priority": order})
        for env in (native, singles)
    ]
    assert_same(*said)
    assert_same_play(native, singles, 40, rng)


def test_nothing_that_was_returned_changes_later() -> None:
    native, _ = both("walk", AutoresetMode.SAME_STEP)
    said = [native.reset(seed=0), *trace(native, 30)]
    kept = copy.deepcopy(said)
    trace(native, 5)
    assert_same(said, kept)


def test_every_row_has_its_own_order() -> None:
    native = TurnStreamVectorEnv(GAMES["walk"](), 2, priority=[[0, 1, 2], [2, 1, 0]])
    assert native.reset(seed=0)[0]["agent"].tolist() == [0, 2]
    assert native.priority.tolist() == [[0, 1, 2], [2, 1, 0]]
