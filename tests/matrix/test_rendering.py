"""Payoff tables in characters and pixels: what is marked, and that both show the same facts."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from stmg_envs.equilibria import StageTable, stages
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError
from stmg_envs.matrix import marks as marks_module
from stmg_envs.matrix.marks import compact, lay_out, table_marks
from stmg_envs.matrix.matrix_game import MatrixGame
from stmg_envs.matrix.multi_step import Cooperation, Coordination
from stmg_envs.matrix.one_shot import (
    CollectionStage,
    Escape,
    HuntingStage,
    Maintain,
    Meeting,
    Mixing,
    Penalty,
    PrisonersDilemma,
)
from stmg_envs.matrix.rendering import render_ansi, render_rgb
from stmg_envs.matrix.stage_game import StageGame

PENALTY_CHOSEN_1_3 = """\
Penalty
payoffs: the same for all
leader first: agent_0, agent_1
┌───────────────────┬──────┬────┬───────────┐
│ agent_0 \\ agent_1 │  1   │ 2  │     3     │
├───────────────────┼──────┼────┼───────────┤
│ 1                 │ -100 │ 0  │   [10]    │
│                   │      │    │ NE SE OPT │
├───────────────────┼──────┼────┼───────────┤
│ 2                 │  0   │ 2  │     0     │
│                   │      │ NE │           │
├───────────────────┼──────┼────┼───────────┤
│ 3                 │  8   │ 0  │   -100    │
│                   │  NE  │    │           │
└───────────────────┴──────┴────┴───────────┘
[ ]  last joint action
NE   pure Nash equilibrium
SE   Stackelberg equilibrium
OPT  largest sum of payoffs
"""
CHOSEN_RGB = (0xFD, 0xEB, 0xC1)


def random_game(*counts: int) -> MatrixGame:
    return MatrixGame(np.random.default_rng(0).normal(size=(len(counts), *counts)).round(2))


def share(picture: NDArray[np.uint8], color: tuple[int, int, int]) -> int:
    return int((picture == color).all(axis=-1).sum())


# --- facts ---


@pytest.mark.parametrize("k", [-100, -10000])
def test_marks_of_penalty(k: float) -> None:
    marks = table_marks(Penalty(k), 0)
    assert marks.nash == ((0, 2), (1, 1), (2, 0))
    assert marks.stackelberg.actions == (0, 2)
    assert marks.optima == ((0, 2),)
    assert marks.scope == "game"
    assert marks.tags((0, 2)) == ("NE", "SE", "OPT")
    assert marks.tags((1, 1)) == ("NE",)
    assert marks.tags((0, 0)) == ()


@pytest.mark.parametrize(("priority", "expected"), [(None, (0, 0)), ((0, 1), (0, 0)), ((1, 0), (0, 2))])
def test_stackelberg_mark_follows_the_priority(
    priority: tuple[int, ...] | None, expected: tuple[int, ...]
) -> None:
    marks = table_marks(Mixing(), 0, priority)
    assert marks.stackelberg.actions == expected
    assert marks.nash == ((1, 1),)
    assert marks.optima == ((0, 0), (2, 0))


@pytest.mark.parametrize(
    ("game", "nash", "leader", "optima"),
    [
        (PrisonersDilemma(), ((1, 1),), (1, 1), ((0, 0),)),
        (Maintain(), ((1, 1), (2, 2)), (0, 0), ((0, 0),)),
        (HuntingStage(), ((0, 1),), (0, 1), ((0, 0),)),
        (CollectionStage(), ((0, 0),), (0, 0), ((0, 1),)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StageGame) else None,
)
def test_marks_of_published_games(
    game: StageGame, nash: tuple[object, ...], leader: tuple[int, ...], optima: tuple[object, ...]
) -> None:
    marks = table_marks(game, 0)
    assert (marks.nash, marks.stackelberg.actions, marks.optima) == (nash, leader, optima)


def test_marks_count_equilibrium_play_of_later_stages() -> None:
    marks = table_marks(Cooperation(), 0)
    # Both branches pay 1 now; only branch 0 ends in 4.
    assert marks.payoffs[0].tolist() == [[1, 0], [0, 1]]
    assert marks.values[0].tolist() == [[13, 0], [0, 10]]
    assert marks.optima == ((0, 0),)
    assert marks.scope == "rest"
    last = table_marks(Coordination(), 17)
    assert last.stackelberg.actions == (2, 0)
    assert last.optima == ((2, 0),)
    assert last.nash == ((0, 2), (1, 1))


@pytest.mark.parametrize("memory", [False, True])
def test_marks_of_a_repeated_game_are_those_of_its_stage(memory: bool) -> None:
    game = MatrixGame("climbing", repeats=5, memory=memory)
    marks, once = table_marks(game, 0), table_marks(MatrixGame("climbing"), 0)
    assert marks.scope == "stage"
    assert (marks.values == marks.payoffs).all()
    assert (marks.nash, marks.stackelberg.actions, marks.optima) == (
        once.nash,
        once.stackelberg.actions,
        once.optima,
    )


def test_a_game_is_solved_once_per_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[tuple[int, ...]] = []

    def counting(table: StageTable, order: tuple[int, ...]) -> stages.StageSolution:
        solved.append(order)
        return stages.solve_stages(table, order)

    monkeypatch.setattr(marks_module, "solve_stages", counting)
    game = Coordination()
    for stage in (0, 1, 17):
        render_ansi(game, stage, (0, 0))
        render_rgb(game, stage, (0, 0))
    table_marks(game, 0, (1, 0))
    table_marks(Coordination(), 0)
    assert solved == [(0, 1), (1, 0), (0, 1)]


def test_solutions_go_with_their_game() -> None:
    gc.collect()
    before = len(marks_module._SOLUTIONS)
    game = Escape()
    table_marks(game, 0)
    assert len(marks_module._SOLUTIONS) == before + 1
    del game
    gc.collect()
    assert len(marks_module._SOLUTIONS) == before


@pytest.mark.parametrize("draw", [table_marks, lambda game, stage: render_ansi(game, stage, None)])
@pytest.mark.parametrize("stage", [-1, 1])
def test_unknown_stage(draw: object, stage: int) -> None:
    with pytest.raises(InvalidArgumentError, match=r"stage=-?1 does not exist; expected 0\.\.0"):
        draw(Penalty(), stage)  # type: ignore[operator]


def test_bad_priority() -> None:
    with pytest.raises(InvalidPriorityError):
        render_ansi(Penalty(), 0, None, (0, 0))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10.0, "10"),
        (-10000.0, "-10000"),
        (26.5, "26.5"),
        (-0.0, "0"),
        (1000000.0, "1000000"),
        (0.1 + 0.2, "0.3"),
        (1e12, "1e+12"),
        (-1 / 3, "-0.333333"),
    ],
)
def test_compact(value: float, text: str) -> None:
    assert compact(value) == text


# --- characters ---


def test_ansi_of_penalty() -> None:
    assert render_ansi(Penalty(k=-100), 0, (0, 2)) == PENALTY_CHOSEN_1_3


def test_ansi_without_a_choice_highlights_nothing() -> None:
    table = render_ansi(Penalty(k=-100), 0, None).split("[ ]")[0]
    assert "[" not in table
    assert "10" in table


def test_ansi_of_private_rewards_and_a_reversed_priority() -> None:
    text = render_ansi(Mixing(), 0, (0, 2), (1, 0))
    assert "payoffs: agent_0, agent_1" in text
    assert "leader first: agent_1, agent_0" in text
    assert "│ 1                 │  0, 5   │ -10, -5 │ [-8, 4] │" in text
    assert "│                   │   OPT   │         │   SE    │" in text


def test_ansi_of_three_agents_draws_a_table_per_action_of_the_third() -> None:
    text = render_ansi(Meeting(), 0, (2, 2, 1))
    room, field = text.split("scooter_0: room")[1].split("scooter_0: cornfield")
    for panel in (room, field):
        assert panel.count("gus_0 \\ henry_0") == 1
        assert panel.count("┌") == 1
    assert "4, 5, 4" in room
    assert "SE" not in room and "[" not in room
    assert "│ cornfield       │ 4, 1, 4 │  4, 1, 4  │ [7, 7, 6] │" in field
    assert "NE SE OPT" in field


def test_ansi_names_the_stage_of_games_with_several() -> None:
    assert render_ansi(Coordination(), 3, None).startswith("Coordination, stage 3\n")
    assert "Marks assume Stackelberg play in later stages." in render_ansi(Coordination(), 3, None)
    repeated = render_ansi(MatrixGame("climbing", repeats=3), 0, None)
    assert repeated.startswith("MatrixGame\n")
    assert repeated.endswith("Marks are those of this table played once.\n")


def test_ansi_of_one_agent_is_a_single_row() -> None:
    text = render_ansi(MatrixGame(np.array([[1.0, 3.5, 2.0]])), 0, (1,))
    assert "│ payoff  │ 1 │   [3.5]   │ 2 │\n│         │   │ NE SE OPT │   │" in text


def test_ansi_of_a_large_game_lists_the_notable_joint_actions() -> None:
    payoffs = np.zeros((2, 30, 30))
    payoffs[:, 4, 6] = (3, 2.5)
    payoffs[:, 1, 1] = (-1, 7)
    text = render_ansi(MatrixGame(payoffs), 0, (0, 1))
    assert "│ action: payoff │ last joint action │   SE   │  OPT  │" in text
    assert "│ agent_0        │       1: 0        │  5: 3  │ 2: -1 │" in text
    assert "│ agent_1        │       2: 0        │ 7: 2.5 │ 2: 7  │" in text
    assert "│ marks          │        NE         │ NE SE  │  OPT  │" in text


def test_ansi_shows_names_as_they_are() -> None:
    names = (("[red]x", ":smile:"), ("$a$", "b" * 200))
    table = StageTable(np.zeros((1, 2, 2, 2)), np.full((1, 2, 2), -1))
    game = StageGame(table, np.zeros((1, 1)), action_names=names)
    text = render_ansi(game, 0, None)
    assert all(name in text for agent in names for name in agent)


def test_ansi_is_plain_in_every_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    assert render_ansi(Penalty(k=-100), 0, (0, 2)) == PENALTY_CHOSEN_1_3


# --- pixels ---


@pytest.mark.parametrize(
    "game",
    [Penalty(k=-10000), Meeting(), random_game(3), random_game(2, 2, 2, 2), random_game(30, 30)],
    ids=["penalty", "meeting", "one agent", "four agents", "large"],
)
def test_rgb_is_a_fresh_deterministic_picture(game: StageGame) -> None:
    first, second = (0,) * game.n, (1,) * game.n
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = render_rgb(game, 0, first)
        again = render_rgb(game, 0, first)
        other = render_rgb(game, 0, second)
        none = render_rgb(game, 0, None)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3 and picture.shape[2] == 3
    assert picture.flags.writeable and picture.flags.c_contiguous and picture.base is None
    assert not np.shares_memory(picture, again)
    assert (picture == again).all()
    assert picture.shape == other.shape == none.shape
    assert (picture != other).any() and (picture != none).any()


def test_rgb_of_three_by_three_has_a_common_size() -> None:
    height, width, _ = render_rgb(Penalty(), 0, None).shape
    assert width == 600
    assert 380 <= height <= 450


def test_rgb_fills_the_chosen_cell() -> None:
    # The legend shows the colour too, on few pixels.
    chosen, none = (share(render_rgb(Penalty(), 0, joint), CHOSEN_RGB) for joint in ((0, 2), None))
    assert 0 < none < 1000
    assert chosen > none + 5000


def test_rgb_depends_on_the_priority() -> None:
    game = Mixing()
    assert (render_rgb(game, 0, None, (0, 1)) != render_rgb(game, 0, None, (1, 0))).any()
    assert (render_rgb(game, 0, None) == render_rgb(game, 0, None, (0, 1))).all()


def test_rgb_has_one_size_at_all_stages() -> None:
    game = Coordination()
    assert (
        len(
            {
                render_rgb(game, stage, chosen).shape
                for stage, chosen in ((0, None), (1, (0, 0)), (18, (2, 0)))
            }
        )
        == 1
    )


def test_rgb_keeps_a_margin_even_around_long_texts() -> None:
    names = (("first " * 8, "second"), ("a" * 60, "$x$"))
    table = StageTable(np.full((1, 2, 2, 2), -123456.7), np.full((1, 2, 2), -1))
    picture = render_rgb(StageGame(table, np.zeros((1, 1)), action_names=names), 0, None)
    edges = np.concatenate(
        [picture[:10].reshape(-1, 3), picture[:, :10].reshape(-1, 3), picture[:, -10:].reshape(-1, 3)]
    )
    assert (edges == 255).all()


def test_rgb_leaves_pyplot_and_settings_alone() -> None:
    code = (
        "import sys; from stmg_envs.matrix.one_shot import Penalty; "
        "assert not {'matplotlib', 'rich'} & set(sys.modules); "
        "from stmg_envs.matrix.rendering import render_rgb; game = Penalty(); "
        "before = render_rgb(game, 0, (0, 0)); "
        "assert 'matplotlib.pyplot' not in sys.modules; "
        "import matplotlib; "
        "matplotlib.rcParams.update({'font.size': 30, 'text.color': 'red', 'figure.facecolor': 'black', "
        "'font.family': 'serif', 'savefig.dpi': 20, 'lines.color': 'red'}); "
        "assert (before == render_rgb(game, 0, (0, 0))).all()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("joint", [(0, 2), (2, 1)])
def test_both_drawings_show_one_sheet(joint: tuple[int, int]) -> None:
    cells = [cell for row in lay_out(Penalty(), 0, joint, None).panels[0].cells for cell in row]
    assert [index for index, cell in enumerate(cells) if cell.chosen] == [3 * joint[0] + joint[1]]
    assert [index for index, cell in enumerate(cells) if "SE" in cell.tags] == [2]
    assert [index for index, cell in enumerate(cells) if "NE" in cell.tags] == [2, 4, 6]
