"""The rule of differential reward interaction by hand, and the wrapper around anybody's environment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mpe2 import simple_spread_v3
from pettingzoo.test import parallel_api_test
from torch import Tensor

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import fully_connected
from wrappers import DifferentialReward, reshape_rewards


def graph(*edges: tuple[int, int], n: int) -> Tensor:
    adjacency = torch.zeros(1, n, n, dtype=torch.bool)
    for i, j in edges:
        adjacency[0, i, j] = adjacency[0, j, i] = True
    return adjacency


def reshaped(
    rewards: list[float], averages: list[float], adjacency: Tensor, mode: str = "dri"
) -> tuple[list[float], list[float], list[bool]]:
    """Reshaped rewards, differential rewards and conflicts of one joint reward."""
    table = torch.tensor([rewards], dtype=torch.float64)
    result = reshape_rewards(table, torch.tensor(averages, dtype=torch.float64), adjacency, mode)  # type: ignore[arg-type]
    return result.rewards[0].tolist(), result.differential[0].tolist(), result.conflicts[0].tolist()


PAIR = graph((0, 1), n=2)


def test_defection_is_a_conflict() -> None:
    """The dilemma's (D, C) pays (18, 0) while both average 10: 8 above for one, 10 below for the other."""
    assert reshaped([18, 0], [10, 10], PAIR) == ([9, 9], [-1, -1], [True, True])


def test_no_conflict_on_the_same_side() -> None:
    assert reshaped([12, 11], [4, 6], PAIR) == ([12, 11], [7, 6], [False, False])


def test_averages_are_of_the_neighbourhood() -> None:
    """On the line 0 - 1 - 2 the baselines are 3, 4 and 6; the neighbours' means 5, (7 + 1) / 2 = 4 and 5."""
    line = graph((0, 1), (1, 2), n=3)
    rewards, differential, conflicts = reshaped([7, 5, 1], [2, 4, 8 - 2], line)
    # Agent 0: mubar 3, 7 and 5 above: keeps 7. Agent 1: mubar 4, 5 above, 4 on it: conflict, (7 + 5 + 1) / 3.
    # Agent 2: mubar 5, 1 below, 5 on it: conflict, (5 + 1) / 2.
    assert rewards == pytest.approx([7, 13 / 3, 3])
    assert differential == pytest.approx([4, 1 / 3, -2])
    assert conflicts == [False, True, True]


def test_no_neighbours() -> None:
    assert reshaped([3, -2], [1, 1], graph(n=2)) == ([3, -2], [2, -3], [False, False])


@pytest.mark.parametrize(
    ("rewards", "conflict"),
    [([5, 5], False), ([5, 6], True), ([6, 5], True), ([4, 6], True), ([6, 7], False)],
)
def test_the_sign_of_zero_differs_from_both_others(rewards: list[float], conflict: bool) -> None:
    assert reshaped(rewards, [5, 5], PAIR)[2] == [conflict, conflict]


def test_naive_always_averages() -> None:
    assert reshaped([12, 11], [4, 6], PAIR, "naive")[:2] == ([11.5, 11.5], [6.5, 6.5])
    conflict = [18, 0], [10, 10], PAIR
    assert reshaped(*conflict, "naive") == reshaped(*conflict, "dri")


def test_graphs_of_a_batch_differ() -> None:
    rewards = torch.tensor([[18.0, 0.0]]).repeat(2, 1)
    result = reshape_rewards(rewards, torch.tensor([10.0, 10.0]), torch.cat([PAIR, ~PAIR & False]))
    assert result.rewards.tolist() == [[9, 9], [18, 0]]


numbers = st.floats(-1e4, 1e4, width=32)


@given(st.integers(1, 6), numbers, arrays(np.float32, 6, elements=numbers))
def test_equal_rewards_of_a_full_graph_stay(n: int, reward: float, averages: np.ndarray) -> None:
    rewards = torch.full((1, n), reward)
    result = reshape_rewards(rewards, torch.as_tensor(averages[:n]), fully_connected(n, 1))
    assert torch.equal(result.rewards, rewards)
    assert not result.conflicts.any()


@given(arrays(np.float64, (3, 4), elements=st.floats(-9, 9)), st.integers(0, 2**16 - 1))
def test_who_is_in_no_conflict_keeps_its_reward_and_the_others_get_means(
    rewards: np.ndarray, edges: int
) -> None:
    bits = torch.tensor([bool(edges >> bit & 1) for bit in range(16)]).view(4, 4)
    adjacency = (bits | bits.T) & ~torch.eye(4, dtype=torch.bool)
    table = torch.as_tensor(rewards)
    result = reshape_rewards(table, torch.zeros(4, dtype=torch.float64), adjacency.expand(3, 4, 4))
    for b in range(3):
        for i in range(4):
            members = [i, *adjacency[i].nonzero().flatten().tolist()]
            expected = table[b, members].mean() if result.conflicts[b, i] else table[b, i]
            assert float(result.rewards[b, i]) == pytest.approx(float(expected), abs=1e-12)


def test_wrapper_keeps_averages_of_the_original_rewards() -> None:
    env = DifferentialReward(stmg_envs.parallel_env("stmg/PrisonersDilemma-v0"), step_size=0.5)
    env.reset(seed=0)
    _, rewards, _, _, infos = env.step({"agent_0": 1, "agent_1": 0})
    # Averages are 0 still: 18 is above, 0 is on the baseline.
    assert rewards == {"agent_0": 9, "agent_1": 9}
    assert infos["agent_0"]["reward"] == 18
    assert infos["agent_1"]["conflict"]
    assert env.averages.tolist() == [9, 0]
    env.reset()
    _, rewards, _, _, infos = env.step({"agent_0": 0, "agent_1": 0})
    assert rewards == {"agent_0": 5.5, "agent_1": 5.5}
    assert not infos["agent_0"]["conflict"]
    assert env.averages.tolist() == [9.5, 5]


def test_wrapper_around_anybody_s_environment() -> None:
    parallel_api_test(DifferentialReward(simple_spread_v3.parallel_env(max_cycles=9), mode="naive"), 50)
    plain, wrapped = (
        make(simple_spread_v3.parallel_env(max_cycles=9))
        for make in (lambda env: env, lambda env: DifferentialReward(env, differential=False))
    )
    for env in (plain, wrapped):
        env.reset(seed=4)
    actions = dict.fromkeys(plain.possible_agents, 1)
    assert wrapped.step(actions)[4]["agent_1"]["reward"] == plain.step(actions)[1]["agent_1"]


def test_bad_arguments() -> None:
    env = stmg_envs.parallel_env("stmg/Penalty-v0")
    with pytest.raises(InvalidArgumentError, match="mode='mean' is unknown"):
        DifferentialReward(env, mode="mean")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="step_size=0 is out of range"):
        DifferentialReward(env, step_size=0)
