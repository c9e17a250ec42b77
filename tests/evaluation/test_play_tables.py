"""Shares of joint actions in payoff tables, and distinct plays."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.evaluation.play_tables import ShareCell, distinct_plays, joint_plays, stage_shares
from baselines.evaluation.report_inputs import Play
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix import Coordination, MatrixGame, Meeting, Mixing, Penalty


def play(*joints: tuple[int, ...], returns: tuple[float, ...]) -> Play:
    return Play([[float(action) for action in joint] for joint in joints], list(returns))


def test_one_shot_shares() -> None:
    plays = [play((0, 2), returns=(10, 10))] * 3 + [play((1, 1), returns=(2, 2))]
    (stage,) = stage_shares(Penalty(k=-100), plays, (0, 1))
    (table,) = stage.tables
    assert table.cells[0][2] == ShareCell("10", ("NE", "SE", "OPT"), 3, 0.75)
    assert table.cells[1][1] == ShareCell("2", ("NE",), 1, 0.25)
    assert table.cells[0][0] == ShareCell("-100", (), 0, 0.0)
    assert sum(cell.runs for row in table.cells for cell in row) == 4
    assert (stage.stage, stage.steps, stage.runs, stage.note) == (0, (1,), 4, "")
    assert stage.entries == "the same for all"


def test_marks_follow_the_priority() -> None:
    plays = [play((0, 0), returns=(0, 5))]
    for order, leader_cell in (((0, 1), (0, 0)), ((1, 0), (0, 2))):
        (stage,) = stage_shares(Mixing(), plays, order)
        cells = stage.tables[0].cells
        marked = [(r, c) for r in range(3) for c in range(3) if "SE" in cells[r][c].tags]
        assert marked == [leader_cell]
    assert stage.entries == "agent_0, agent_1" and cells[0][0].payoffs == "0, 5"


def test_three_agents_have_a_table_per_action_of_the_third() -> None:
    plays = [play((2, 2, 1), returns=(7, 7, 6)), play((0, 1, 0), returns=(1, 1, 1))]
    (stage,) = stage_shares(Meeting(), plays, (0, 1, 2))
    assert [table.caption for table in stage.tables] == ["scooter_0: room", "scooter_0: cornfield"]
    room, field = stage.tables
    assert field.cells[2][2].share == room.cells[0][1].share == 0.5
    assert room.row_title == "gus_0" and room.column_names == ("room", "classroom", "cornfield")


def test_one_agent() -> None:
    (stage,) = stage_shares(MatrixGame([[1, 2, 4]]), [play((2,), returns=(4,))], (0,))
    (table,) = stage.tables
    assert table.row_names == ("payoff",) and table.column_names == ("1", "2", "3")
    assert [cell.share for cell in table.cells[0]] == [0, 0, 1]


def test_multi_step_plays_are_counted_where_they_end() -> None:
    best = play(*[(0, 0)] * 9, (2, 0), returns=(29, 24))
    other = play(*[(2, 2)] * 9, (1, 1), returns=(19, 14))
    early = play((0, 0), (1, 1), returns=(1, 1))
    stages = stage_shares(Coordination(), [other, best, best, early], (0, 1))
    assert [(stage.runs, stage.steps) for stage in stages] == [(2, (10,)), (1, (2,)), (1, (10,))]
    assert stages[0].tables[0].cells[2][0] == ShareCell("20, 15", ("SE", "OPT"), 2, 0.5)
    # All tables together hold every run once.
    runs = [c.runs for stage in stages for table in stage.tables for row in table.cells for c in row]
    assert sum(runs) == 4
    plays = distinct_plays(Coordination(), [other, best, best, early])
    assert [row.runs for row in plays] == [2, 1, 1]
    assert plays[0].text == "(1, 1) \N{MULTIPLICATION SIGN} 9, (3, 1)" and plays[0].returns == (29, 24)
    assert plays[1].text == "(1, 1), (2, 2)" and plays[1].share == 0.25


def test_repeated_games() -> None:
    for memory in (False, True):
        game = MatrixGame("climbing", repeats=3, memory=memory)
        plays = [play((0, 0), (1, 2), (0, 0), returns=(28, 28))]
        (stage,) = stage_shares(game, plays, (0, 1))
        assert stage.stage == (6 if memory else 0)
        assert stage.tables[0].cells[0][0].share == 1.0
        assert stage.note == "Marks are those of this table played once."


def test_large_games_are_left_to_the_list() -> None:
    plays = [play((0, 20), returns=(1, 1))]
    for shape in ((2, 3, 21), (2, 21, 20)):
        assert stage_shares(MatrixGame(np.zeros(shape)), plays, (0, 1)) == []
    assert distinct_plays(MatrixGame(np.zeros((2, 3, 21))), plays)[0].text == "(1, 21)"


@pytest.mark.parametrize(
    "wrong",
    [
        play((0, 3), returns=(1, 1)),
        play((0,), returns=(1, 1)),
        play((0, -1), returns=(1, 1)),
        play((0, 0), returns=(1,)),
        play(returns=(1, 1)),
        Play([[0.5, 1.0]], [1, 1]),
        Play([[[0.0, 1.0], [1.0, 0.0]]], [1, 1]),
    ],
)
def test_plays_of_another_game(wrong: Play) -> None:
    with pytest.raises(InvalidArgumentError, match=r"plays\.json"):
        joint_plays(Penalty(), [wrong])


def test_plays_beyond_the_end() -> None:
    with pytest.raises(InvalidArgumentError, match="ends the game earlier"):
        stage_shares(Penalty(), [play((0, 0), (0, 0), returns=(1, 1))], (0, 1))
