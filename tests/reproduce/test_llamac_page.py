"""The page of LLaMAC's tasks: published rows are the published ones, and players did what is said of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from baselines.errors import ResultsError
from baselines.evaluation.results import task_name
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import PlayerCell
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.page import page_text
from baselines.reproduce.player_results import PlayerResults
from baselines.reproduce.players import PLAYERS
from baselines.reproduce.plays import Plays, play

FOLDER = Path(__file__).parents[2] / "docs" / "results" / "llamac"
LLAMAC = EXPERIMENTS["llamac"]()
GRIDS = list(dict.fromkeys(cell.task for cell in LLAMAC.players if cell.env_id == "stmg/GridTransport-v0"))


def test_the_published_rows_are_those_of_the_paper() -> None:
    """Its table, HMAS-2 and LLaMAC: percent of 10 instances that are solved; steps, feedback and tokens."""
    paper = {
        ("easy", 2, 2): ((100, 9.9, 2.74, 3.3, 2.05, 49900, 17980), (100, 7.0, 1.79, 2.0, 1.26, 23900, 8380)),
        ("easy", 2, 4): (
            (80, 15.5, 6.09, 12.3, 5.83, 158400, 107840),
            (100, 7.6, 1.36, 4.3, 1.42, 38000, 10570),
        ),
        ("easy", 4, 8): (
            (60, 30.6, 9.70, 26.1, 13.59, 599300, 245400),
            (100, 12.9, 2.70, 10.7, 3.35, 122600, 30550),
        ),
        ("hard", 2, 2): ((80, 7.0, 5.0, 6.0, 9.74, 76100, 116660), (100, 4.7, 1.35, 3.6, 2.80, 28800, 18490)),
        ("hard", 2, 4): (
            (20, 17.0, 9.0, 24.0, 20.0, 355500, 291050),
            (90, 7.44, 2.95, 10.56, 7.54, 94000, 68090),
        ),
        ("hard", 4, 8): ((0,), (90, 8.44, 1.57, 12.11, 2.51, 119800, 32750)),
    }
    means = ("steps", "feedback", "tokens")
    names = ("success", *(name + end for name in means for end in ("", "_deviation")))
    expected = {
        f"gridtransport(variant={variant},rows={rows},columns={columns})": {
            label: dict(zip(names, (row[0] / 100, *row[1:]), strict=False))
            for label, row in zip(("hmas-2", "llamac"), both, strict=True)
        }
        for (variant, rows, columns), both in paper.items()
    }
    assert LLAMAC.published == expected


def test_everybody_plays_the_tasks_of_the_learners() -> None:
    assert {cell.task for cell in LLAMAC.players} == {cell.task for cell in LLAMAC.cells}
    assert all(cell.task == task_name(cell.env_id, cell.env_args) for cell in LLAMAC.players)
    assert {cell.label for cell in LLAMAC.players} == set(PLAYERS)


@pytest.mark.parametrize("cell", LLAMAC.players, ids=lambda cell: cell.key)
def test_committed_numbers_are_what_the_players_do(cell: PlayerCell) -> None:
    committed = PlayerResults(cell, Plays(FOLDER))
    for name, values in play(cell, range(2)).items():
        assert values == pytest.approx(committed.final(name)[:2], abs=1e-6)
    assert committed.instances == cell.instances


@pytest.mark.parametrize("task", GRIDS)
def test_no_plan_is_shorter_than_the_shortest(task: str) -> None:
    """Of the same instances."""
    found = {cell.label: PlayerResults(cell, Plays(FOLDER)) for cell in LLAMAC.players if cell.task == task}
    for one, other in zip(found["exact"].final("steps"), found["greedy"].final("steps"), strict=True):
        assert one <= other
    solved = zip(found["random"].final("success"), found["random"].final("steps"), strict=True)
    for (success, steps), shortest in zip(solved, found["exact"].final("steps"), strict=True):
        assert success == 0 or steps >= shortest


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("results.json", "manifest.json", "players.json", "notes.md"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def mutate(folder: Path, task: str, player: str, steps: float) -> None:
    """Let a player have taken so many steps in its first instance."""
    table = json.loads((folder / "players.json").read_text())
    table[task][player]["metrics"]["steps"][0] = steps
    (folder / "players.json").write_text(json.dumps(table))


def test_another_number_makes_another_page(copied: Path) -> None:
    committed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page_text(LLAMAC, Archive(copied)) == committed
    mutate(copied, GRIDS[0], "greedy", 29.0)
    assert page_text(LLAMAC, Archive(copied)) != committed


def test_it_cannot_say_that_a_slow_planner_is_faster(copied: Path) -> None:
    mutate(copied, GRIDS[0], "greedy", 10_000.0)
    with pytest.raises(ResultsError, match="the greedy planner needs fewer steps than every published row"):
        page_text(LLAMAC, Archive(copied))
