"""Who learns nothing: what players do, how it is kept, and how it stands on a page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from games import Walk
from small_experiment import PENALTY, Titles, run

from baselines.cli.reproduce import command
from baselines.errors import ResultsError
from baselines.evaluation.spread import Spread
from baselines.reproduce.archive import PROVENANCE, Archive
from baselines.reproduce.entries import caption
from baselines.reproduce.experiment import Experiment, Measure, PlayerCell
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.notes import NOTES, render_notes
from baselines.reproduce.page import page_text
from baselines.reproduce.player_results import PlayerResults
from baselines.reproduce.players import PLAYERS, play_instance
from baselines.reproduce.plays import Plays, play, play_missing
from baselines.reproduce.sample import Sample, sample
from stmg_envs import make_game
from stmg_envs.errors import InvalidArgumentError, UnknownNameError

GRID = PlayerCell("grid", "greedy", "stmg/GridTransport-v0", {"rows": 2, "columns": 2}, 3)
SHORTEST = replace(GRID, label="exact")
PUBLISHED = {
    "grid": {
        "somebody": {"success": 0.8, "steps": 9.9, "steps_deviation": 2.74},
        "nobody": {"success": 0.0},
    }
}
MEASURES = (
    Measure("success", "Success", "share that is solved", published="success", share=True),
    Measure("steps", "Steps", "number of timesteps", published="steps", among="success"),
)
SMALL = Experiment("small", "Small", (PENALTY,), PUBLISHED, MEASURES, (SHORTEST, GRID))


def with_numbers(folder: Path, **metrics: dict[str, list[float]]) -> Plays:
    """A folder in which players have done what is given."""
    plays = Plays(folder)
    for label, numbers in metrics.items():
        plays.add(replace(GRID, label=label), numbers, 1.0)
    return plays


EXACT_NUMBERS = {"success": [1.0, 1.0, 1.0], "steps": [3.0, 5.0, 4.0]}
GREEDY_NUMBERS = {"success": [1.0, 0.0, 1.0], "steps": [4.0, 30.0, 6.0]}


def test_mean_and_deviation_are_those_of_what_counts() -> None:
    """Of 4 and 6 the mean is 5, and both are 1 away from it."""
    counted = sample([GREEDY_NUMBERS], "steps", "success")
    assert counted.values == (4.0, 6.0)
    assert (counted.mean, counted.spread, str(counted)) == (5.0, Spread(5.0, 1.0), "5.00 (1.00)")
    both = sample([GREEDY_NUMBERS, EXACT_NUMBERS], "steps", "success")
    assert both.values == (4.0, 6.0, 3.0, 5.0, 4.0)
    assert str(Sample(())) == "-"
    assert Sample(()).mean != Sample(()).mean
    assert Sample(()).spread is None


@pytest.mark.parametrize("name", ["scan", "turns"])
def test_scripted_players_take_the_best_sum(name: str) -> None:
    game = make_game("stmg/ResourceAllocation-v0", n=3)
    assert play_instance(game, PLAYERS[name], 7) == {"optimal": 1.0, "efficiency": 1.0, "gap": 0.0}


@pytest.mark.parametrize("variant", ["easy", "hard"])
def test_shortest_plans_are_played_to_their_end_and_greedy_ones_are_no_shorter(variant: str) -> None:
    game = make_game("stmg/GridTransport-v0", variant=variant, rows=2, columns=2)
    exact, greedy = (
        [play_instance(game, PLAYERS[name], k) for k in range(6)] for name in ("exact", "greedy")
    )
    assert all(one["success"] == 1 for one in exact + greedy)
    steps = [(one["steps"], other["steps"]) for one, other in zip(exact, greedy, strict=True)]
    assert all(one <= other for one, other in steps)
    assert any(one < other for one, other in steps)


def test_an_instance_does_not_hang_on_what_was_played_before() -> None:
    cell = replace(GRID, label="random", env_args={"variant": "hard", "rows": 2, "columns": 2})
    together = play(cell, range(6))
    assert together["steps"] == [play(cell, [seed])["steps"][0] for seed in range(6)]
    assert len(set(together["steps"])) > 1


@pytest.mark.parametrize(
    ("name", "env_id", "reason"),
    [
        ("exact", "stmg/Penalty-v0", "game=Penalty is not .* expected GridTransport"),
        ("greedy", "stmg/Penalty-v0", "game=Penalty is not .* expected GridTransport"),
        ("scan", "stmg/GridTransport-v0", "game=GridTransport is not .* expected ResourceAllocation"),
        ("turns", "stmg/GridTransport-v0", "game=GridTransport is not .* expected ResourceAllocation"),
    ],
)
def test_players_refuse_other_games(name: str, env_id: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        play_instance(make_game(env_id), PLAYERS[name], 0)


def test_nobody_is_random_among_a_continuum() -> None:
    with pytest.raises(InvalidArgumentError, match="game=Walk has continuous actions"):
        play_instance(Walk(), PLAYERS["random"], 0)


def test_what_has_been_played_is_kept(tmp_path: Path) -> None:
    said: list[str] = []
    play_missing(SMALL.players, Plays(tmp_path), said.append)
    assert said == ["exact on grid: 3 instances", "greedy on grid: 3 instances"]
    plays = Plays(tmp_path)
    play_missing((*SMALL.players, replace(GRID, instances=4)), plays, said.append)
    assert said[2:] == ["greedy on grid: 4 instances"]
    stored = json.loads((tmp_path / "players.json").read_text())["grid"]["greedy"]
    assert stored.keys() >= {"env_id", "env_args", "seeds", "metrics", *PROVENANCE}
    assert stored["seeds"] == [0, 1, 2, 3]
    assert stored["metrics"]["steps"] == play(GRID, range(4))["steps"]
    assert not plays.has(replace(GRID, instances=4, env_args={"rows": 2, "columns": 3}))


def test_the_page_has_rows_of_all_kinds(tmp_path: Path) -> None:
    archive = run(tmp_path, Titles(), (PENALTY,), runs=1)
    with_numbers(archive.folder, exact=EXACT_NUMBERS, greedy=GREEDY_NUMBERS)
    page = page_text(SMALL, archive)
    success, steps = page.split("## Steps")
    assert "| exact | 1 [1, 1] |\n| greedy | 0.6667 [0, 1] |\n| somebody | 0.8 |\n| nobody | 0.0 |" in success
    assert "Of players that learn nothing, it is over instances" in success
    assert (
        "| exact | 4.00 (0.82) |\n| greedy | 5.00 (1.00) |\n| somebody | 9.9 (2.74) |\n| nobody | - |"
        in steps
    )
    assert "somebody and nobody as published." in caption(SMALL, MEASURES[1])
    assert "- Seeds of the instances: 0-2." in page


def test_columns_stand_in_the_order_of_the_tasks(tmp_path: Path) -> None:
    """Also of a task that only a later row has."""
    archive = run(tmp_path, Titles(), (PENALTY,), runs=1)
    first = replace(GRID, task="first", label="exact")
    plays = with_numbers(archive.folder, exact=EXACT_NUMBERS, greedy=GREEDY_NUMBERS)
    plays.add(first, EXACT_NUMBERS, 1.0)
    small = replace(SMALL, players=(replace(first, label="greedy"), GRID, SHORTEST, first))
    assert "| | first | grid |\n" in page_text(small, archive)


def test_what_was_not_played_has_no_row(tmp_path: Path) -> None:
    archive = run(tmp_path, Titles(), (PENALTY,), runs=1)
    with_numbers(archive.folder, greedy=GREEDY_NUMBERS)
    assert "| exact |" not in page_text(SMALL, archive)


def test_notes_speak_of_players(tmp_path: Path) -> None:
    with_numbers(tmp_path, greedy=GREEDY_NUMBERS)

    def notes(text: str) -> str:
        (tmp_path / NOTES).write_text(text)
        return render_notes(SMALL, Archive(tmp_path))

    assert notes("{{ player('grid', 'greedy').instances }}") == "3"
    assert notes("{{ player('grid', 'greedy').seeds }}") == "0-2"
    assert notes("{{ player('grid', 'greedy').mean('success') | percent }}") == "67"
    assert notes("{{ player('grid', 'greedy').sample('steps', 'success') }}") == "5.00 (1.00)"
    with pytest.raises(ResultsError, match="speaks of exact on grid, who has not played"):
        notes("{{ player('grid', 'exact').seeds }}")
    with pytest.raises(UnknownNameError, match="player='grid / random' is not in small"):
        notes("{{ player('grid', 'random').seeds }}")


def test_players_are_chosen_as_cells_are() -> None:
    assert SMALL.select_players(["exact"], []) == (SHORTEST,)
    assert SMALL.select_players(["steer"], []) == ()
    assert SMALL.select(["exact"], []) == ()
    assert SMALL.select_players([], ["grid"]) == (SHORTEST, GRID)
    with pytest.raises(UnknownNameError, match="algorithm='scan' is not in small"):
        SMALL.select_players(["scan"], [])


def test_the_command_plays_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXPERIMENTS, "table1", lambda: SMALL)
    monkeypatch.chdir(tmp_path)
    arguments = ["table1", "--algorithms", "greedy", "--out", "out", "--work", "work"]
    called = CliRunner().invoke(command, arguments)
    assert called.exit_code == 0, called.output
    assert called.output == "greedy on grid: 3 instances\n"
    assert PlayerResults(GRID, Plays(tmp_path / "out")).instances == 3
    assert CliRunner().invoke(command, arguments).output == ""
