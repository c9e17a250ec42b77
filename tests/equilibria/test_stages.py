"""Games in stages: backward induction against trying every play, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import stmg_envs
from stmg_envs.equilibria import (
    StageTable,
    optimal_stage_returns,
    solve_stages,
    stackelberg,
    stackelberg_returns,
)
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError
from stmg_envs.matrix import MatrixGame


@st.composite
def stage_games(draw: st.DrawFn) -> StageTable:
    """Up to four stages, each joint action leading to some later one or to the end."""
    n, stages = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    counts = draw(st.tuples(*[st.integers(1, 2)] * n))
    payoffs = draw(hnp.arrays(np.float64, (stages, n, *counts), elements=st.integers(-2, 2)))
    successors = np.stack(
        [
            draw(hnp.arrays(np.int64, counts, elements=st.sampled_from([-1, *range(stage + 1, stages)])))
            for stage in range(stages)
        ]
    )
    return StageTable(payoffs, successors)


def plays(table: StageTable, stage: int = 0) -> list[NDArray[np.float64]]:
    """Returns of every joint play to the end."""
    if stage < 0:
        return [np.zeros(table.n)]
    return [
        table.payoffs[stage, :, *joint] + later
        for joint in np.ndindex(table.successors[stage].shape)
        for later in plays(table, int(table.successors[(stage, *joint)]))
    ]


def worth(table: StageTable, order: tuple[int, ...], stage: int) -> NDArray[np.float64]:
    """Returns under equilibrium play from a stage on, later stages first."""
    if stage < 0:
        return np.zeros(table.n)
    payoffs = table.payoffs[stage].copy()
    for joint in np.ndindex(payoffs.shape[1:]):
        payoffs[:, *joint] += worth(table, order, int(table.successors[(stage, *joint)]))
    return stackelberg(payoffs, order).payoffs


@given(stage_games(), st.randoms(use_true_random=False))
def test_stages_are_solved_from_the_last_one_back(table: StageTable, random: Any) -> None:
    order = tuple(random.sample(range(table.n), table.n))
    solution = solve_stages(table, order)
    assert solution.returns.tolist() == worth(table, order, 0).tolist()
    assert stackelberg_returns(table, order).tolist() == solution.returns.tolist()
    for stage, equilibrium in enumerate(solution.stages):
        assert equilibrium.payoffs.tolist() == worth(table, order, stage).tolist()
    # The returns are what the joint actions along the path pay.
    paid = np.zeros(table.n)
    for stage, joint in zip(solution.path, solution.actions, strict=True):
        paid += table.payoffs[stage, :, *joint]
    assert paid.tolist() == solution.returns.tolist()
    assert solution.path[0] == 0 and list(solution.path) == sorted(set(solution.path))


@given(stage_games())
def test_optimum_is_the_best_of_all_plays(table: StageTable) -> None:
    best = max(play.sum() for play in plays(table))
    expected = {tuple(play) for play in plays(table) if play.sum() == best}
    assert {tuple(play) for play in optimal_stage_returns(table)} == expected


@pytest.mark.parametrize(
    ("name", "order", "returns", "last"),
    [
        ("Coordination", (0, 1), [29, 24], (2, 0)),
        # With agent_1 leading, the best reply to 1, 2, 3 is 2, 2, 1: it gets 0, 5 or 10.
        ("Coordination", (1, 0), [14, 19], (0, 2)),
        ("Cooperation", (0, 1), [13, 13], (1, 1)),
        ("Cooperation", (1, 0), [13, 13], (1, 1)),
    ],
)
def test_by_hand(name: str, order: tuple[int, ...], returns: list[float], last: tuple[int, ...]) -> None:
    solution = solve_stages(stmg_envs.make_game(f"stmg/{name}-v0").table, order)
    assert solution.returns.tolist() == returns
    assert len(solution.path) == 10
    assert solution.actions[-1] == last
    # Nine times the same joint action, then the last stage.
    assert len(set(solution.actions[:-1])) == 1


def test_equilibria_of_a_stage_count_what_follows() -> None:
    solution = solve_stages(stmg_envs.make_game("stmg/Cooperation-v0").table)
    assert solution.continuations[0].tolist() == [[[13, 0], [0, 10]]] * 2
    assert solution.nash(0) == [(0, 0), (1, 1)]
    assert solution.optima(0) == [(0, 0)]


@pytest.mark.parametrize("solve", [solve_stages, stackelberg_returns, optimal_stage_returns])
@pytest.mark.parametrize("memory", [False, True])
def test_games_that_come_back_are_not_solved(solve: Any, memory: bool) -> None:
    with pytest.raises(InvalidArgumentError, match=r"returns to earlier stages.*one-shot stage game"):
        solve(MatrixGame("chicken", repeats=3, memory=memory).table)


@pytest.mark.parametrize("successor", [1, 2, -2])
def test_successors_must_exist(successor: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{successor}"):
        StageTable(np.zeros((1, 2, 2, 2)), np.array([[[-1, -1], [-1, successor]]]))


def test_successors_must_fit_the_payoffs() -> None:
    with pytest.raises(InvalidArgumentError, match=r"shape \(1, 2\); expected \(1, 2, 2\)"):
        StageTable(np.zeros((1, 2, 2, 2)), np.zeros((1, 2), dtype=np.int64))


def test_bad_priority() -> None:
    table = stmg_envs.make_game("stmg/Cooperation-v0").table
    with pytest.raises(InvalidPriorityError, match=r"\(0, 0\)"):
        solve_stages(table, (0, 0))
