"""Experiments continue where they stopped and say how every cell was made."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from small_experiment import MIXING, PENALTY, SMALL, SMALL_MAPPO, Titles, run

from baselines.cli.reproduce import command
from baselines.evaluation.results import task_name
from baselines.evaluation.statistics import Interval
from baselines.reproduce.archive import PROVENANCE, Archive
from baselines.reproduce.experiment import OPTIMAL, RETURN, Cell, Experiment, Measure
from baselines.reproduce.experiments import EXPERIMENTS, random_three_agent_game
from baselines.reproduce.figure import interval_of
from baselines.reproduce.page import write_page
from baselines.reproduce.run import run_cells
from baselines.runs.directory import RunDirectory
from stmg_envs import game_spec
from stmg_envs.equilibria import stackelberg
from stmg_envs.errors import UnknownNameError


def test_finished_cells_are_kept_and_only_missing_seeds_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Titles(stop_at="mixing"))
    titles = Titles()
    archive = run(tmp_path, titles)
    assert [re.sub(r"\[.*\] ", "", title) for title in titles.seen] == ["mappo on mixing, seeds 0-1"]
    more = Titles()
    run(tmp_path, more, runs=4)
    assert [title.split("seeds ")[1] for title in more.seen] == ["3-3", "2-3"]
    stored = json.loads((tmp_path / "results" / "results.json").read_text())["stmg"]
    assert list(stored["penalty(k=0)"]["steer"]) == [f"seed_{k}" for k in range(4)]
    assert set(archive.manifest) == {"penalty(k=0) / steer", "mixing / mappo"}


def test_the_manifest_says_how_a_block_of_seeds_was_made(tmp_path: Path) -> None:
    """Of a run that an older version began, it says what that version recorded."""
    archive = run(tmp_path, Titles(), cells=(MIXING,))
    (block,) = archive.blocks(MIXING)
    assert block.keys() == {"seeds", "seconds", *PROVENANCE}
    assert block["seeds"] == [0, 1]
    directory = RunDirectory(tmp_path / "work" / "mappo-mixing" / "seeds-0-1")
    made = json.loads(directory.manifest.read_text())
    del made["processor"]
    directory.manifest.write_text(json.dumps(made))
    archive.add(MIXING, directory)
    assert archive.blocks(MIXING)[1].keys() == block.keys() - {"processor"}


def test_another_configuration_makes_old_results_stale(tmp_path: Path) -> None:
    run(tmp_path, Titles())
    changed = replace(PENALTY, config=PENALTY.config | {"gamma": 0.9})
    titles = Titles()
    archive = Archive(tmp_path / "results")
    # The folder of runs still holds those of the former configuration.
    run_cells((changed,), archive, tmp_path / "work", titles.watching, 3, "cpu")
    assert len(titles.seen) == 1
    assert list(archive.runs(changed)) == ["seed_0", "seed_1", "seed_2"]
    assert len(list((tmp_path / "work" / "steer-penalty-k=0-").iterdir())) == 2


def test_a_field_that_the_archive_does_not_know_stood_at_its_default(tmp_path: Path) -> None:
    archive = run(tmp_path, Titles(), cells=(PENALTY,))
    del archive.manifest["penalty(k=0) / steer"]["recipe"]["config"]["heads"]
    plan = PENALTY.plan(range(3), "cpu")
    assert archive.missing(PENALTY, plan) == []
    other = replace(PENALTY, config=PENALTY.config | {"heads": 2}).plan(range(3), "cpu")
    assert archive.missing(PENALTY, other) == [0, 1, 2]


def test_two_archives_of_one_folder_keep_each_others_cells(tmp_path: Path) -> None:
    first, second = Archive(tmp_path / "results"), Archive(tmp_path / "results")
    for archive, cell in ((first, PENALTY), (second, MIXING)):
        run_cells((cell,), archive, tmp_path / "work", Titles().watching, 1, "cpu")
    assert set(Archive(tmp_path / "results").manifest) == {"penalty(k=0) / steer", "mixing / mappo"}


def test_the_page_sets_our_numbers_beside_the_published_ones(tmp_path: Path) -> None:
    archive = run(tmp_path, Titles())
    page = write_page(SMALL, archive).read_text()
    values = [run["absolute_metrics"]["optimal"][0] for run in archive.runs(PENALTY).values()]
    percent = 100 * sum(values) / 3
    assert f"published 100, {percent - 100:+.3g}" in page
    assert "| steer |" in page
    assert "| mappo |" in page
    assert "<svg" in (tmp_path / "results" / "curves.svg").read_text()


def test_the_page_shows_what_an_experiment_measures(tmp_path: Path) -> None:
    cells = (Cell("merging", "mappo", "mappo", "stmg/OnRampMerge-v0", {}, 2, config=SMALL_MAPPO), PENALTY)
    measures = (Measure("crash_rate", "Crash rate", "share of episodes with a crash", share=True), OPTIMAL)
    experiment = Experiment("small", "Two kinds of tasks", cells, measures=measures)
    archive = run(tmp_path, Titles(), cells)
    page = write_page(experiment, archive).read_text(encoding="utf-8")
    crashes, optima = page.split("## Share of runs at the optimum")
    assert "| | merging |" in crashes
    assert "share of episodes with a crash, with a 95 % t-interval cut at 0 and 1" in crashes
    assert "| | penalty(k=0) |" in optima


def test_a_share_cannot_lie_outside_0_and_1() -> None:
    """Of 0, 0 and 0.6 the mean is 0.2 and its standard error 0.2; t(0.975, 2) = 4.3027."""
    plain, share = (Measure("crash_rate", "", "", share=share) for share in (False, True))
    assert ends(interval_of([0.0, 0.0, 0.6], plain)) == pytest.approx((-0.66053, 1.06053), abs=1e-5)
    assert ends(interval_of([0.0, 0.0, 0.6], share)) == (0.0, 1.0)


def ends(interval: Interval) -> tuple[float, float]:
    return float(interval.low), float(interval.high)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_valid_plans(name: str) -> None:
    experiment = EXPERIMENTS[name]()
    assert len({(cell.task, cell.label) for cell in experiment.cells}) == len(experiment.cells)
    for cell in experiment.cells:
        game = cell.plan([0], "cpu").game()
        known = game_spec(cell.env_id).optimum is not None
        assert known == (game.optimal_returns(tuple(range(game.n))) is not None)
        assert known or experiment.measures != (OPTIMAL, RETURN)


@pytest.mark.parametrize("name", sorted(EXPERIMENTS.keys() - {"priority"}))
def test_tasks_have_the_names_that_evaluations_give_them(name: str) -> None:
    """By them the leaderboard finds bounds and suites; games of `priority` have another optimum."""
    for cell in EXPERIMENTS[name]().cells:
        assert cell.task.lower() == task_name(cell.env_id, cell.env_args)


def test_the_commas_of_a_task_do_not_part_it() -> None:
    task = "multiagentmujoco(scenario=HalfCheetah,agent_conf=6x1)"
    called = CliRunner().invoke(command, ["mujoco", "--games", f"{task},mixing"])
    assert isinstance(called.exception, UnknownNameError)
    assert str(called.exception).startswith(f"game={task!r} is not in mujoco")


def test_table_1_is_the_published_table() -> None:
    experiment = EXPERIMENTS["table1"]()
    assert {cell.label for cell in experiment.cells} == {"steer", "step", "mat", "happo", "mappo"}
    assert len(experiment.cells) == 5 * 7
    assert all(cell.runs >= (100 if "co" not in cell.task else 32) for cell in experiment.cells)
    with pytest.raises(UnknownNameError, match="algorithm='qmix'"):
        experiment.select(["qmix"], [])


def test_in_the_random_game_the_order_matters_and_no_tie_decides() -> None:
    payoffs = np.array(random_three_agent_game())
    found = [stackelberg(payoffs, priority=order) for order in itertools.permutations(range(3))]
    assert not any(equilibrium.ties for equilibrium in found)
    assert len({tuple(equilibrium.actions) for equilibrium in found}) == 4
