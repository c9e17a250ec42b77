"""Presets of the matrix-game table are what did best of what all algorithms were tried with."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell, Experiment
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.notes import Results
from baselines.reproduce.tuning import Tried, in_force, rank_settings, settings
from stmg_envs import game_spec

FOLDER = Path(__file__).parents[2] / "docs" / "results" / "tuning"
TUNING, TABLE = EXPERIMENTS["tuning"](), EXPERIMENTS["table1"]()
ALGORITHMS = list(dict.fromkeys(cell.algorithm for cell in TABLE.cells))
ONE_SHOT, TEN_STEPS = TUNING.task_groups


def chosen(tasks: tuple[str, ...], algorithm: str) -> list[Cell]:
    """The cells of the one setting that is the algorithm's preset."""
    (found,) = (
        cells
        for cells in settings(TUNING.cells, tasks, algorithm).values()
        if all(in_force(cell) for cell in cells)
    )
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("tasks", TUNING.task_groups)
def test_every_preset_is_one_of_the_settings_that_were_tried(tasks: tuple[str, ...], algorithm: str) -> None:
    (example, *_) = chosen(tasks, algorithm)
    played = [
        cell
        for cell in TABLE.cells
        if cell.algorithm == algorithm and game_spec(cell.env_id).family == game_spec(example.env_id).family
    ]
    assert {cell.task for cell in played} >= set(tasks)
    assert all(cell.plan([0], "cpu").config == example.plan([0], "cpu").config for cell in played)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("tasks", TUNING.task_groups)
def test_every_preset_is_the_best_of_its_budget(tasks: tuple[str, ...], algorithm: str) -> None:
    """A preset may be any of those with the most runs at the optimum.

    Where it has all of them there, not all others need have been tried.
    """
    tried = settings(TUNING.cells, tasks, algorithm)
    ranking = rank_settings(tried, Archive(FOLDER))
    (preset,) = (setting for setting in ranking if setting.in_force)
    assert len(ranking) == len(tried) or preset.optima == preset.runs
    best = {setting.setting for setting in ranking if setting.optima == ranking[0].optima}
    assert preset.setting in best, f"{algorithm} does best with {sorted(best)}: change its preset"


def test_the_budgets_are_two() -> None:
    assert ONE_SHOT == ("penalty(k=-100)", "mixing")
    assert TEN_STEPS == ("coordination", "cooperation")


def filled(tmp_path: Path, optima: dict[str, list[list[float]]]) -> Archive:
    """An archive of the one-shot budget for MAT: setting -> optimality of the runs of each task.

    Runs of the first setting come to the optimum at the last of four evaluations, others at the second.
    """
    archive = Archive(tmp_path)
    for place, (setting, cells) in enumerate(settings(TUNING.cells, ONE_SHOT, "mat").items()):
        arrival = 1 if place else 3
        for cell, runs in zip(cells, optima.get(setting, []), strict=False):
            plan = cell.plan(cell.seeds(), "cpu").as_dict()
            recipe = {name: plan[name] for name in ("algorithm", "env_id", "env_args", "priority", "config")}
            archive.manifest[cell.key] = {"recipe": recipe, "blocks": []}
            archive.results["stmg"].setdefault(cell.task, {})[cell.label] = {
                f"seed_{seed}": {
                    f"step_{step}": {"step_count": step, "optimal": [run * (step >= arrival)]}
                    for step in range(4)
                }
                | {"absolute_metrics": {"optimal": [run]}}
                for seed, run in zip(cell.seeds(), runs * 24, strict=False)
            }
    return archive


def test_settings_are_ranked_over_the_tasks_of_their_budget(tmp_path: Path) -> None:
    every, none, half = [1.0], [0.0], [1.0, 0.0]
    archive = filled(
        tmp_path,
        {
            "entropy 0.5 to 0": [none, every],
            "entropy 0.1 to 0": [half, every],
            "entropy and step size constant": [every],
            "entropy 0.5 to 0 and summed rewards": [none, every],
        },
    )
    assert rank_settings(settings(TUNING.cells, ONE_SHOT, "mat"), archive) == [
        Tried("entropy 0.1 to 0", 36, 48, (3 / 8 + 3 / 4) / 2, False),
        Tried("entropy 0.5 to 0 and summed rewards", 24, 48, (0 + 3 / 4) / 2, False),
        Tried("entropy 0.5 to 0", 24, 48, (0 + 1 / 4) / 2, True),
    ]


def only_mat(archive: Archive) -> Results:
    cells = tuple(cell for cell in TUNING.cells if cell.algorithm == "mat")
    return Results(Experiment("tuning", "", cells), archive)


@pytest.mark.parametrize("share", [[0.0], [1.0], [1.0, 0.0]])
def test_ties_change_no_preset(tmp_path: Path, share: list[float]) -> None:
    names = settings(TUNING.cells, ONE_SHOT, "mat")
    archive = filled(tmp_path, {name: [share, share] for name in names})
    assert only_mat(archive).presets_are_best(ONE_SHOT) is True


def test_whether_presets_are_best(tmp_path: Path) -> None:
    names = list(settings(TUNING.cells, ONE_SHOT, "mat"))
    better = {name: [[float(name != names[0])]] * 2 for name in names}
    assert only_mat(filled(tmp_path, better)).presets_are_best(ONE_SHOT) is False
    some = {name: shares for name, shares in better.items() if name != names[1]}
    assert only_mat(filled(tmp_path, some)).presets_are_best(ONE_SHOT) is None
    solved = {name: [[1.0]] * 2 for name in names[:2]}
    assert only_mat(filled(tmp_path, solved)).presets_are_best(ONE_SHOT) is True
