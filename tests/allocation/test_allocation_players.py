"""Scripted players of Resource Allocation: both always come to the best sum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stmg_envs.allocation import ResourceAllocation, in_turns, next_share, shared_out
from stmg_envs.protocol import GameParallelEnv, GameVectorEnv, Streams, TurnBasedEnv


@given(st.data())
def test_both_reach_every_sum_in_every_order(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    best = torch.tensor(data.draw(st.lists(st.integers(0, 9 * n), min_size=1, max_size=5)))
    priority = torch.tensor([data.draw(st.permutations(range(n))) for _ in best])
    for actions in (shared_out(best, n), in_turns(best, priority)):
        assert actions.dtype == torch.int64 and actions.shape == (len(best), n)
        assert torch.equal(actions.sum(dim=1), best)
        assert ((actions >= 0) & (actions <= 9)).all()
        # Both share evenly.
        assert (actions.amax(dim=1) - actions.amin(dim=1) <= 1).all()


@given(st.data())
def test_the_last_make_good_what_the_first_did(data: st.DataObject) -> None:
    """Whatever superiors took: if the best sum can still be reached it is, else they come closest to it."""
    n = data.draw(st.integers(1, 20))
    best = data.draw(st.integers(0, 9 * n))
    taken = data.draw(st.lists(st.integers(0, 9), max_size=n - 1))
    total, left = sum(taken), n - len(taken)
    closest = min(max(best, total), total + 9 * left)
    for remaining in range(left, 0, -1):
        total += int(next_share(torch.tensor([best]), torch.tensor([total]), remaining))
    assert total == closest


def test_superiors_decide_first() -> None:
    """Of 5 for three agents: round(5/3) = 2, round(3/2) = 2, and 1 is left for the last."""
    priority = torch.tensor([[2, 0, 1], [0, 1, 2]])
    assert in_turns(torch.tensor([5, 5]), priority).tolist() == [[2, 1, 2], [2, 2, 1]]
    assert shared_out(torch.tensor([5, 8]), 3).tolist() == [[2, 2, 1], [3, 3, 2]]


@pytest.mark.parametrize("n", [1, 3, 10, 50, 1000])
def test_they_are_paid_the_optimum_under_any_order(n: int) -> None:
    game = ResourceAllocation(n, rounds=3, hidden=True)
    env = GameVectorEnv(game, 4)
    env.reset(seed=n)
    for streams in (Streams.from_seeds(range(i, i + 4)) for i in range(3)):
        env.priority = streams.permutation(n)
        info = env.step(in_turns(env.episodes.state["best"], env.priority))[-1]
        assert (info["metrics"]["optimal"] == 1).all() and (info["metrics"]["efficiency"] == 1).all()
        assert (info["metrics"]["gap"] == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_seen_in_turns_is_enough(seed: int) -> None:
    """A player that knows the best sum, and of others what its turn shows."""
    rng = np.random.default_rng(seed)
    game = ResourceAllocation(10)
    env = TurnBasedEnv(GameParallelEnv(game))
    order = [f"agent_{i}" for i in rng.permutation(10)]
    env.reset(seed=seed, options={"priority": order})
    for rank, agent in enumerate(order):
        assert env.agent_selection == agent
        shown = env.observe(agent)["leader_actions"]
        taken = torch.tensor([int((shown @ np.arange(10)).sum())])
        env.step(int(next_share(torch.tensor([game.best]), taken, 10 - rank)))
    assert env.rewards == {agent: pytest.approx(30.7452620529) for agent in order}
