"""The solver of one-shot games against plain recursion and enumeration, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import stmg_envs
from stmg_envs.equilibria import Tie, global_optima, pure_nash, stackelberg
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError

Play = tuple[tuple[int, ...], NDArray[np.float64]]


@st.composite
def games(draw: st.DrawFn) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Payoffs from few integers, so that ties abound, and a priority."""
    n = draw(st.integers(2, 4))
    counts = draw(st.tuples(*[st.integers(1, 3)] * n))
    payoffs = draw(hnp.arrays(np.int64, (n, *counts), elements=st.integers(-2, 2)))
    return payoffs, tuple(draw(st.permutations(range(n))))


def best_play(payoffs: NDArray[Any], order: tuple[int, ...], prefix: tuple[int, ...] = ()) -> Play:
    """The rest of the play after the superiors' actions, by trying everything: actions by rank, payoffs."""
    rank = len(prefix)
    if rank == len(order):
        return prefix, payoffs[:, *(prefix[order.index(agent)] for agent in range(len(order)))]
    plays = [best_play(payoffs, order, (*prefix, action)) for action in range(payoffs.shape[1 + order[rank]])]
    # First oneself, then one's superiors from the first down, then the lowest action.
    care = (order[rank], *order[:rank])
    return max(plays, key=lambda play: tuple(play[1][agent] for agent in care))


@given(games())
def test_stackelberg_is_what_trying_everything_finds(game: tuple[NDArray[Any], tuple[int, ...]]) -> None:
    payoffs, order = game
    by_rank, worth = best_play(payoffs, order)
    found = stackelberg(payoffs, order)
    assert tuple(found.actions[agent] for agent in order) == by_rank
    assert found.payoffs.tolist() == worth.tolist()
    # The replies to every prefix, also off the path.
    for rank, replies in enumerate(found.replies):
        assert replies.shape == tuple(payoffs.shape[1 + agent] for agent in order[:rank])
        for prefix in np.ndindex(replies.shape):
            assert best_play(payoffs, order, prefix)[0][rank] == replies[prefix]


@given(games())
def test_ties_are_reported(game: tuple[NDArray[Any], tuple[int, ...]]) -> None:
    payoffs, order = game
    path = best_play(payoffs, order)[0]
    expected = []
    for rank, agent in enumerate(order):
        count = payoffs.shape[1 + agent]
        own = [best_play(payoffs, order, (*path[:rank], action))[1][agent] for action in range(count)]
        equal = [action for action in range(count) if own[action] == max(own) and action != path[rank]]
        if equal:
            expected.append(Tie(agent, path[:rank], (path[rank], *equal)))
    assert list(stackelberg(payoffs, order).ties) == expected


@given(games())
def test_pure_nash_is_what_enumeration_finds(game: tuple[NDArray[Any], tuple[int, ...]]) -> None:
    payoffs, _ = game

    def stable(joint: tuple[int, ...]) -> bool:
        return all(
            payoffs[agent][joint] >= payoffs[agent][(*joint[:agent], other, *joint[agent + 1 :])]
            for agent in range(len(joint))
            for other in range(payoffs.shape[1 + agent])
        )

    assert pure_nash(payoffs) == [joint for joint in np.ndindex(payoffs.shape[1:]) if stable(joint)]


@given(games())
def test_global_optima_are_what_enumeration_finds(game: tuple[NDArray[Any], tuple[int, ...]]) -> None:
    payoffs, _ = game
    totals = {joint: payoffs[:, *joint].sum() for joint in np.ndindex(payoffs.shape[1:])}
    best = max(totals.values())
    assert global_optima(payoffs) == [joint for joint, total in totals.items() if total == best]


@given(games())
def test_renaming_agents_renames_the_solution(game: tuple[NDArray[Any], tuple[int, ...]]) -> None:
    payoffs, order = game
    renamed = np.transpose(payoffs, (0, *(agent + 1 for agent in order)))[list(order)]
    left, right = stackelberg(payoffs, order), stackelberg(renamed)
    assert right.actions == tuple(left.actions[agent] for agent in order)
    assert right.payoffs.tolist() == [left.payoffs[agent] for agent in order]


@pytest.mark.parametrize(
    ("name", "order", "actions", "payoffs", "nash"),
    [
        ("Penalty", (0, 1), (0, 2), [10, 10], [(0, 2), (1, 1), (2, 0)]),
        ("Penalty", (1, 0), (0, 2), [10, 10], [(0, 2), (1, 1), (2, 0)]),
        ("Mixing", (0, 1), (0, 0), [0, 5], [(1, 1)]),
        ("Mixing", (1, 0), (0, 2), [-8, 4], [(1, 1)]),
        ("Maintain", (0, 1), (0, 0), [20, 15], [(1, 1), (2, 2)]),
        ("PrisonersDilemma", (0, 1), (1, 1), [2, 2], [(1, 1)]),
        ("PrisonersDilemma", (1, 0), (1, 1), [2, 2], [(1, 1)]),
        ("HuntingStage", (0, 1), (0, 1), [5, 0], [(0, 1)]),
        ("CollectionStage", (0, 1), (0, 0), [10, 5], [(0, 0)]),
        ("Escape", (0, 1), (2, 2), [30, 30], [(0, 0), (1, 1), (2, 2)]),
        ("Meeting", (0, 1, 2), (2, 2, 1), [7, 7, 6], [(0, 0, 0), (1, 1, 0), (2, 2, 1)]),
    ],
)
def test_by_hand(
    name: str,
    order: tuple[int, ...],
    actions: tuple[int, ...],
    payoffs: list[float],
    nash: list[tuple[int, ...]],
) -> None:
    table = stmg_envs.make_game(f"stmg/{name}-v0").table.payoffs[0]
    found = stackelberg(table, order)
    assert (found.actions, found.payoffs.tolist()) == (actions, payoffs)
    assert pure_nash(table) == nash


def test_a_follower_breaks_ties_for_its_leader() -> None:
    # The follower does not care; the leader gets 3 rather than 1, and so prefers its first action to 2.
    payoffs = [[[1, 3], [2, 2]], [[5, 5], [0, 0]]]
    found = stackelberg(payoffs)
    assert found.actions == (0, 1)
    assert found.ties == (Tie(agent=1, leader_actions=(0,), actions=(1, 0)),)


def test_no_ties_in_a_strict_game() -> None:
    assert stackelberg([[[1, 2], [3, 4]], [[1, 2], [3, 4]]]).ties == ()


def test_one_agent() -> None:
    found = stackelberg([[3, 7, 7]])
    assert (found.actions, found.payoffs.tolist()) == ((1,), [7])
    assert found.ties == (Tie(0, (), (1, 2)),)
    assert pure_nash([[3, 7, 7]]) == global_optima([[3, 7, 7]]) == [(1,), (2,)]


@pytest.mark.parametrize("solve", [stackelberg, pure_nash, global_optima])
@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        ([[[1, np.nan], [0, 0]], [[1, 0], [0, 0]]], "nan"),
        ([[[1, np.inf], [0, 0]], [[1, 0], [0, 0]]], "inf"),
        ([[1, 2], [3, 4]], r"shape \(2, 2\)"),
        ([1, 2], r"shape \(2,\)"),
        (7, r"shape \(\)"),
        (np.zeros((2, 0, 2)), r"shape \(2, 0, 2\)"),
        ([[["a", "b"], ["c", "d"]]] * 2, "'a'"),
        ([[[1, 2], [3]]] * 2, "inhomogeneous"),
        ("stag_hunt", "stag_hunt"),
        ([[[None]]], "None|nan|shape"),
    ],
)
def test_bad_payoffs(solve: Any, payoffs: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"(?s){message}.*expected finite numbers of shape"):
        solve(payoffs)


@pytest.mark.parametrize(
    "priority",
    [[0, 0], [0], [0, 1, 2], [1, 2], [0.5, 1.5], [0.0, 1.0], "10", "ab", ["agent_0", "agent_1"], 3],
)
def test_bad_priority(priority: Any) -> None:
    with pytest.raises(InvalidPriorityError, match="is not a permutation") as caught:
        stackelberg(np.zeros((2, 2, 2)), priority)
    assert repr(priority) in str(caught.value)
