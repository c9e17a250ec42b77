"""Payoffs that differ by rounding alone are equal to every solver, and others are not."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.evaluation.greedy import reached_optimum
from stmg_envs.equilibria import (
    StageTable,
    Tie,
    global_optima,
    optimal_stage_returns,
    pure_nash,
    same_returns,
    solve_stages,
    stackelberg,
)
from stmg_envs.matrix import MatrixGame
from stmg_envs.protocol import GameVectorEnv

SIZES = (1e-9, 1.0, 1e12)


@pytest.mark.parametrize("size", SIZES)
def test_a_follower_to_whom_sums_are_worth_the_same_is_indifferent(size: float) -> None:
    # To agent_1 0.1 + 0.2 and 0.3; it breaks the tie for its leader, who then gets 5 rather than 0.
    payoffs = size * np.array([[[0.0, 5.0]] * 2, [[0.1 + 0.2, 0.3]] * 2])
    found = stackelberg(payoffs)
    assert found.payoffs.tolist() == [5.0 * size, 0.3 * size]
    assert found.ties == (Tie(0, (), (0, 1)), Tie(1, (0,), (1, 0)))
    assert pure_nash(payoffs) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert global_optima(payoffs) == [(0, 1), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_small_differences_that_are_no_rounding_count(size: float) -> None:
    payoffs = size * np.array([[[0.0, 5.0]] * 2, [[0.3 + 1e-9, 0.3]] * 2])
    assert stackelberg(payoffs).payoffs.tolist() == [0.0, size * (0.3 + 1e-9)]
    assert pure_nash(payoffs) == [(0, 0), (1, 0)]


def test_sums_at_zero_and_of_large_payoffs() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17.
    zero = np.zeros((3, 2, 1, 1))
    zero[:, 0, 0, 0] = 0.1, 0.2, -0.3
    assert global_optima(zero) == [(0, 0, 0), (1, 0, 0)]
    assert global_optima([[[1e15, 1e15 - 500]], [[0, 0]]]) == [(0, 0)]


def test_an_agent_of_large_payoffs_does_not_hide_the_differences_of_others() -> None:
    payoffs = [[[1e15, 1e15], [0, 0]], [[1.0, 1.001], [0, 0]]]
    assert pure_nash(payoffs) == [(0, 1)]
    assert stackelberg(payoffs).actions == (0, 1)


def test_what_follows_counts_up_to_rounding() -> None:
    payoffs, successors = np.zeros((2, 2, 2, 2)), -np.ones((2, 2, 2), int)
    payoffs[0, 1, :, 0], payoffs[1, 1], successors[0, :, 0] = 0.1, 0.2, 1
    payoffs[0, 1, :, 1], payoffs[0, 0, :, 1] = 0.3, 5.0
    solution = solve_stages(StageTable(payoffs, successors))
    assert solution.returns.tolist() == [5.0, 0.3]
    assert solution.nash(0) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert solution.optima(0) == [(0, 1), (1, 1)]
    assert solution.scales.tolist() == [[5.0, 0.5], [0.0, 0.2]]


def test_large_payoffs_that_cancel_leave_their_rounding() -> None:
    # Ten million and back: what is left of 0.3 is off by 3e-10, which is rounding on that scale.
    payoffs, successors = np.zeros((2, 1, 2)), np.array([[1, -1], [-1, -1]])
    payoffs[0, 0], payoffs[1, 0] = (1e7, 0.3), (0.3 - 1e7, -1e7)
    assert (0.3 - 1e7) + 1e7 != 0.3
    table = StageTable(payoffs, successors)
    assert solve_stages(table).stages[0].ties == (Tie(0, (), (0, 1)),)
    assert len(optimal_stage_returns(table)) == 2


@pytest.mark.parametrize("size", [1e-5, 1.0, 1e6])
def test_played_returns_reach_an_optimum_on_the_scale_of_the_payoffs(size: float) -> None:
    game = MatrixGame(size * np.array([[[0.1, 0.3], [0.0, 0.0]]] * 2))
    env = GameVectorEnv(game, 1)
    played = size * np.array([[[0.3, 0.3], [0.3, 0.29999], [0.1, 0.1]]]).astype(np.float32)
    reached = reached_optimum(env, played.astype(np.float64), np.tile([0, 1], (1, 3, 1)))
    assert reached is not None and reached.tolist() == [[True, False, False]]


def test_returns_at_zero_are_compared_on_the_scale() -> None:
    assert same_returns(np.array([1e-8]), np.array([0.0]), 0.3)
    assert not same_returns(np.array([1e-8]), np.array([0.0]), 0.003)
