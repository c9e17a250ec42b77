"""Grid transport in words: what lies where, what moves are called, and what is wrong with plans."""

from __future__ import annotations

import pytest
from layouts import counts

from stmg_envs.protocol import Complaint, Doubt
from stmg_envs.transport import GridTransport

BLUE, RED = 0, 1
SOUTH, EAST = 2, 4
"""Actions of an agent in a square with a blue box; 5 more for red."""
NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST, TARGET = 1, 2, 3, 4, 5
"""The same on corners."""


def test_squares_with_all_that_lies_in_them() -> None:
    game = GridTransport("easy", 2, 2)
    state = counts(game, {BLUE: [(0, 0), (0, 0)], RED: [(1, 1)]}, {BLUE: [(0, 1), (0, 1)], RED: [(1, 1)]})
    text = game.text()
    assert text.scene(state) == (
        "Agent[0, 0] in square[0, 0]: box_blue, box_blue\n"
        "Agent[0, 1] in square[0, 1]: target_blue, target_blue\n"
        "Agent[1, 0] in square[1, 0]: nothing\n"
        "Agent[1, 1] in square[1, 1]: box_red, target_red"
    )
    # An agent sees its square, and where the targets of its boxes are.
    assert (
        text.view(state, 0)
        == "Agent[0, 0] in square[0, 0]: box_blue, box_blue\ntarget_blue is in square[0, 1]"
    )
    assert text.view(state, 2) == "Agent[1, 0] in square[1, 0]: nothing"
    assert "2 rows and 2 columns" in text.rules


def test_corners_with_the_boxes_on_them() -> None:
    game = GridTransport("hard", 1, 2)
    state = counts(game, {BLUE: [(0, 1)], RED: [(1, 2)]}, {BLUE: [(0, 0)], RED: [(0, 0)]})
    text = game.text()
    assert text.scene(state) == (
        "Agent[0.5, 0.5] in square[0.5, 0.5]: target_blue, target_red\n"
        "Agent[0.5, 1.5] in square[0.5, 1.5]: nothing\n"
        "position[0.0, 1.0]: box_blue\n"
        "position[1.0, 2.0]: box_red"
    )
    # The red box is out of the left agent's reach.
    assert text.view(state, 0) == (
        "Agent[0.5, 0.5] in square[0.5, 0.5]: target_blue, target_red\n"
        "position[0.0, 1.0]: box_blue\n"
        "target_blue is in square[0.5, 0.5]"
    )


@pytest.mark.parametrize("variant", ["easy", "hard"])
def test_legal_actions_of_an_agent_have_different_names(variant: str) -> None:
    game = GridTransport(variant, 2, 4)  # type: ignore[arg-type]
    state = counts(game, {BLUE: [(0, 1)], RED: [(1, 1)]}, {BLUE: [(0, 1)], RED: [(0, 0)]})
    text, mask = game.text(), game.action_mask(state)[0]
    for agent in range(game.n):
        names = [text.actions(agent)[action] for action in mask[agent].nonzero().flatten().tolist()]
        assert len(set(names)) == len(names) and not any("nowhere" in name for name in names)
    assert text.actions(1)[0] == "stay"
    assert text.actions(1)[5] == "move(box_blue, target_blue)"


def test_names_of_moves_say_where_boxes_go() -> None:
    assert GridTransport("easy", 2, 2).text().actions(1)[SOUTH] == "move(box_blue, square[1, 1])"
    hard = GridTransport("hard", 2, 2).text()
    assert hard.actions(3)[SOUTH_EAST] == "move(box_blue, position[2.0, 2.0])"
    assert hard.agents[3] == "Agent[1.5, 1.5]"


def test_two_agents_may_not_move_one_box_nor_two_to_one_corner() -> None:
    game = GridTransport("hard", 1, 2)
    state = counts(game, {BLUE: [(0, 1)], RED: [(1, 1)]}, {BLUE: [(0, 0)], RED: [(0, 0)]})
    text = game.text()
    assert text.complaints(state, [NORTH_WEST, NORTH_EAST]) == [
        Complaint(
            (0, 1),
            "Agent[0.5, 0.5] and Agent[0.5, 1.5] both move box_blue, but one box is moved by one agent only.",
        )
    ]
    # On a grid of two rows the upper and the lower agent reach the same corner.
    game = GridTransport("hard", 2, 1)
    state = counts(game, {BLUE: [(0, 0)], RED: [(2, 0)]}, {BLUE: [(1, 0)], RED: [(0, 0)]})
    to_the_middle = [SOUTH_WEST, NORTH_WEST + 5]
    assert game.text().complaints(state, to_the_middle) == [
        Complaint(
            (0, 1),
            "Agent[0.5, 0.5] and Agent[1.5, 0.5] both move a box to position[1.0, 0.0], where the boxes "
            "would collide.",
        )
    ]
    # Who has not decided is in nobody's way.
    assert game.text().complaints(state, [SOUTH_WEST, None]) == []
    assert GridTransport("easy", 2, 1).text().complaints(state, [1, 1]) == []


def test_a_move_that_brings_a_box_no_nearer_is_doubtful() -> None:
    game = GridTransport("easy", 1, 3)
    state = counts(game, {BLUE: [(0, 1)]}, {BLUE: [(0, 0)]})
    text = game.text()
    west, east = 3, 4
    assert text.doubts(state, [0, west, 0]) == {}
    assert text.doubts(state, [0, east, 0]) == {
        1: Doubt("box_blue comes no nearer to a target of its colour by this move.", certain=False)
    }


def test_nobody_is_asked_where_another_agent_alone_can_help() -> None:
    game = GridTransport("hard", 1, 2)
    # The box is on the corner in the middle, the target in the left square.
    state = counts(game, {BLUE: [(0, 1)]}, {BLUE: [(0, 0)]})
    doubt = game.text().doubts(state, [0, NORTH_EAST])
    assert doubt == {
        1: Doubt(
            "box_blue comes no nearer to a target of its colour by this move. "
            "Agent[0.5, 1.5] cannot bring it nearer; Agent[0.5, 0.5] can.",
            certain=True,
        )
    }
    # Who could place it itself and moves it is asked why.
    assert not game.text().doubts(state, [NORTH_WEST, 0])[0].certain
    assert game.text().doubts(state, [TARGET, 0]) == {}
