"""Orders of decision: fixed, random per episode, computed from what agents see; alone and in batches."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from games import Walk, assert_same, sample_batch, trace
from mpe2 import simple_spread_v3, simple_tag_v3
from torch import Tensor

from stmg_envs.errors import InvalidPriorityError
from stmg_envs.protocol import GameParallelEnv, GameVectorEnv, Streams
from wrappers import (
    PriorityRule,
    PriorityVectorEnv,
    WithPriority,
    by_score,
    fixed_order,
    random_order,
    spatio_temporal,
)


class RightmostAtTheStart(PriorityRule):
    """Computed from observations, but once per episode."""

    per_timestep = False

    def __call__(self, observations: Tensor, streams: Streams) -> Tensor:
        return observations[..., 0].argsort(dim=-1, descending=True)


def first_number(observations: Tensor) -> Tensor:
    return observations[..., 0]


RULES: dict[str, Callable[[], PriorityRule]] = {
    "fixed": lambda: fixed_order([1, 2, 0]),
    "random": random_order,
    "by score": lambda: by_score(first_number),
    "at the start": RightmostAtTheStart,
}


@pytest.fixture(params=RULES)
def rule(request: pytest.FixtureRequest) -> PriorityRule:
    """Every kind of rule."""
    return RULES[request.param]()


def orders_of_episodes(env: WithPriority, episodes: int, seed: int | None = 0) -> list[list[tuple[str, ...]]]:
    """The priority at every timestep of some episodes of random play."""
    rng = np.random.default_rng(1)
    result = []
    for episode in range(episodes):
        env.reset(seed=seed if episode == 0 else None)
        orders = [env.priority]
        while env.agents:
            env.step({agent: rng.uniform(-1, 1, 2).astype(np.float32) for agent in env.agents})
            orders.append(env.priority)
        result.append(orders[:-1])
    return result


def walk(rule: PriorityRule | Sequence[str] | None) -> WithPriority:
    return WithPriority(GameParallelEnv(Walk()), rule)


def test_fixed() -> None:
    for order in (fixed_order([1, 2, 0]), ["agent_1", "agent_2", "agent_0"]):
        episodes = orders_of_episodes(walk(order), 3)
        assert {order for orders in episodes for order in orders} == {("agent_1", "agent_2", "agent_0")}


def test_random_changes_between_episodes_only() -> None:
    episodes = orders_of_episodes(walk(random_order()), 60)
    assert all(len(set(orders)) == 1 for orders in episodes)
    assert len({orders[0] for orders in episodes}) == 6


def test_random_is_reproducible() -> None:
    env = walk(random_order())
    episodes = orders_of_episodes(env, 5)
    assert orders_of_episodes(env, 5) == episodes == orders_of_episodes(walk(random_order()), 5)
    assert orders_of_episodes(env, 5, seed=1) != episodes


def test_random_does_not_change_the_game() -> None:
    plain, ordered = GameParallelEnv(Walk()), walk(random_order())
    assert_same(plain.reset(seed=0), ordered.reset(seed=0))
    rng, rng_too = np.random.default_rng(0), np.random.default_rng(0)
    for _ in range(3):
        actions = {agent: rng.uniform(-1, 1, 2) for agent in plain.agents}
        assert_same(
            plain.step(actions), ordered.step({agent: rng_too.uniform(-1, 1, 2) for agent in ordered.agents})
        )


def test_by_score_follows_the_score_within_an_episode() -> None:
    env = walk(by_score(first_number))
    rng, changes = np.random.default_rng(0), 0
    for seed in range(5):
        observations, _ = env.reset(seed=seed)
        orders = set()
        while env.agents == env.possible_agents:
            assert list(env.priority) == sorted(env.agents, key=lambda agent: -observations[agent][0])
            orders.add(env.priority)
            observations, *_ = env.step({agent: rng.uniform(-1, 1, 2) for agent in env.agents})
        changes += len(orders) - 1
    assert changes > 0


def test_ties_go_to_the_lower_index() -> None:
    env = walk(by_score(lambda observations: torch.zeros(observations.shape[:2])))
    env.reset(seed=0)
    assert env.priority == ("agent_0", "agent_1", "agent_2")


def test_rule_once_per_episode() -> None:
    for orders in orders_of_episodes(walk(RightmostAtTheStart()), 4):
        assert len(set(orders)) == 1


def test_a_slot_of_a_batch_has_the_order_of_a_single_environment(rule: PriorityRule) -> None:
    batch = PriorityVectorEnv(GameVectorEnv(Walk(), 4), rule)
    singles = [walk(rule) for _ in range(4)]
    batch.reset(seed=10)
    for slot, single in enumerate(singles):
        single.reset(seed=10 + slot)
    for step in range(60):
        names = [tuple(batch.agents[index] for index in row) for row in batch.priority.tolist()]
        assert names == [single.priority for single in singles]
        actions = sample_batch(batch.env, np.random.default_rng(step))
        *_, terminated, truncated, _ = batch.step(actions)
        for slot, single in enumerate(singles):
            acting = {agent: actions[slot, batch.agents.index(agent)].numpy() for agent in single.agents}
            single.step(acting)
            if terminated[slot] or truncated[slot]:
                single.reset()


def test_batches_are_what_they_wrap() -> None:
    inside = GameVectorEnv(Walk(), 3)
    env = PriorityVectorEnv(inside, random_order())
    observations, _ = env.reset(seed=0)
    assert_same(observations, GameVectorEnv(Walk(), 3).reset(seed=0)[0])
    assert (env.num_envs, env.agents, env.game) == (3, inside.agents, inside.game)
    assert torch.equal(env.neighbors(), inside.neighbors())
    assert torch.equal(env.priority, inside.priority)
    with pytest.raises(AttributeError):
        env.priority = [0, 1, 2]
    with pytest.raises(AttributeError, match="nothing"):
        _ = env.nothing


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_continue_identically(rule: PriorityRule, twin: Callable[[Any], Any]) -> None:
    env = walk(rule)
    env.reset(seed=3)
    trace(env, 12)
    assert_same(trace(twin(env), 20), trace(env, 20))
    batch = PriorityVectorEnv(GameVectorEnv(Walk(), 2), rule)
    batch.reset(seed=3)
    other = twin(batch)
    for step in range(20):
        actions = sample_batch(batch.env, np.random.default_rng(step))
        assert_same(batch.step(actions), other.step(actions))
        assert torch.equal(batch.priority, other.priority)


@pytest.mark.parametrize("make", [simple_spread_v3.parallel_env, simple_tag_v3.parallel_env])
def test_rules_for_turns_of_other_peoples_environments(make: Callable[..., Any]) -> None:
    fixed = spatio_temporal(make(max_cycles=6), fixed_order(range(len(make().possible_agents))[::-1]))
    fixed.reset(seed=0)
    assert fixed.agents == fixed.possible_agents[::-1]

    random = spatio_temporal(make(max_cycles=6), random_order())
    starts = []
    for seed in (0, None, None, None, 0, None, None, None):
        random.reset(seed=seed)
        starts.append(tuple(random.agents))
    assert len(set(starts)) > 1 and starts[:4] == starts[4:]

    scored = spatio_temporal(make(max_cycles=6), by_score(first_number))
    scored.reset(seed=0)
    orders = {tuple(scored.agents)}
    rng = np.random.default_rng(0)
    for _ in range(5):
        for agent in scored.agents:
            assert agent == scored.agent_selection
            scored.step(int(rng.integers(5)))
        seen = {agent: float(scored.observe(agent)["observation"][0]) for agent in scored.agents}
        assert scored.agents == sorted(scored.possible_agents, key=lambda agent: -seen[agent])
        orders.add(tuple(scored.agents))
    assert len(orders) > 1


@pytest.mark.parametrize("order", [[0, 0, 1], [0, 1, 3], [-1, 0, 1], [0.5, 1, 2], [], "ab", 3], ids=repr)
def test_bad_fixed_order(order: Any) -> None:
    with pytest.raises(InvalidPriorityError, match=f"{re.escape(repr(order))} is not a permutation"):
        fixed_order(order)


BAD_RULES = {
    "too few": fixed_order([1, 0]),
    "too many": fixed_order([0, 1, 2, 3]),
    "wrong shape": by_score(lambda observations: observations),
    "too few scores": by_score(lambda observations: observations[:, :2, 0]),
}


@pytest.mark.parametrize("rule", BAD_RULES)
def test_rule_that_does_not_fit(rule: str) -> None:
    for env in (walk(BAD_RULES[rule]), PriorityVectorEnv(GameVectorEnv(Walk(), 2), BAD_RULES[rule])):
        with pytest.raises(InvalidPriorityError, match="is not a permutation"):
            env.reset(seed=0)
