"""What is put around batches works on a device as on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from games import Tokens, Walk, sample_batch
from parity import assert_parity, first_rows
from torch import Tensor

from stmg_envs.merge import OnRampMerge
from stmg_envs.protocol import Game, GameVectorEnv, InterleavedVectorEnv, JointVectorEnv
from wrappers import (
    PriorityRule,
    PriorityVectorEnv,
    by_score,
    external_vector_env,
    fixed_order,
    merging_order,
    random_order,
    reshape_rewards,
)
from wrappers.differential_reward import Mode

BATCH, STEPS = 3, 25

RULES: dict[str, tuple[Callable[[], Game], Callable[[], PriorityRule]]] = {
    "fixed": (Walk, lambda: fixed_order([1, 2, 0])),
    "random": (Walk, random_order),
    "by score": (Walk, lambda: by_score(lambda observations: observations[..., 0])),
    "merging": (OnRampMerge, merging_order),
}


def told(env: JointVectorEnv | PriorityVectorEnv, actions: Tensor) -> dict[str, Any]:
    return {"step": env.step(actions), "priority": env.priority, "snapshot": env.snapshot()}


@pytest.mark.parametrize("name", RULES)
def test_orders_follow_rules(name: str, device: str) -> None:
    make, rule = RULES[name]
    inner = GameVectorEnv(make(), BATCH + 1)
    there = PriorityVectorEnv(inner, rule())
    here = PriorityVectorEnv(GameVectorEnv(make(), BATCH, device), rule())
    assert_parity(here.reset(seed=2)[0], there.reset(seed=2)[0], device)
    rng = np.random.default_rng(0)
    for step in range(STEPS):
        here.restore(first_rows(there.snapshot(), BATCH))
        actions = sample_batch(inner, rng)
        expected = told(there, actions)
        assert_parity(told(here, actions[:BATCH].to(device)), expected, device, f"step {step}")


@pytest.mark.parametrize("mode", ["dri", "naive"])
def test_rewards_are_reshaped(mode: Mode, device: str) -> None:
    draw = torch.Generator().manual_seed(0)
    # Halves, so that some are exactly as high as their baselines.
    rewards = torch.randint(-4, 5, (200, 5), generator=draw) / 2
    averages = torch.randint(-2, 3, (5,), generator=draw) / 2
    graphs = torch.rand(200, 5, 5, generator=draw) < 0.4
    graphs = (graphs | graphs.mT) & ~torch.eye(5, dtype=torch.bool)
    expected = vars(reshape_rewards(rewards, averages, graphs, mode))
    some = (x[:150].to(device) for x in (rewards, averages, graphs))
    found = vars(reshape_rewards(*some, mode))
    assert_parity(found, expected, device)
    assert found["conflicts"].any() and not found["conflicts"].all()


def test_lanes_are_one_batch(device: str) -> None:
    whole = GameVectorEnv(Tokens(), 6)
    lanes = InterleavedVectorEnv([GameVectorEnv(Tokens(), 2, device) for _ in range(3)])
    assert_parity(lanes.reset(seed=4)[0], whole.reset(seed=4)[0], device)
    lanes.priority = whole.priority = torch.tensor([2, 0, 1])
    rng = np.random.default_rng(1)
    for step in range(STEPS):
        actions = sample_batch(whole, rng)
        expected = told(whole, actions)
        assert_parity(told(lanes, actions.to(device)), expected, device, f"step {step}")


def test_environments_of_gymnasium_give_tensors_there(device: str) -> None:
    there = external_vector_env("gymnasium/CartPole-v1", BATCH + 1)
    here = external_vector_env("gymnasium/CartPole-v1", BATCH, device)
    assert_parity(here.reset(seed=6)[0], there.reset(seed=6)[0], device)
    ended = 0
    for step in range(2 * STEPS):
        actions = torch.full((BATCH + 1, 1), step // 4 % 2)
        seen, expected = here.step(actions[:BATCH].to(device)), there.step(actions)
        assert_parity((*seen, here.neighbors()), (*expected, there.neighbors()), device, f"step {step}")
        assert_parity(here.episode_streams.keys, there.episode_streams.keys, device)
        ended += int(seen[2].sum())
    assert ended
    there.close()
    here.close()
