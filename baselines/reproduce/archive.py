"""The results of an experiment: one results file for all cells, and a manifest of how each was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from baselines.algorithms.config import config_dict
from baselines.algorithms.registry import algorithm_spec
from baselines.evaluation.results import ENVIRONMENT, Stored, broken, read_checked
from baselines.reproduce.experiment import Cell
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.recipe import Recipe, recipe_of
from baselines.storage import read_json, write_json, write_text

PROVENANCE = (
    "command",
    "commit",
    "versions",
    "python",
    "platform",
    "processor",
    "preloaded",
    "device",
    "threads",
)
"""What is recorded of every block of seeds; a run that an older version began lacks some of it."""


KEEP = ConfigDict(extra="allow")
"""What else a manifest says stays in it."""


@with_config(KEEP)
class Entry(TypedDict):
    """How a cell was made: its recipe, and the provenance of every block of seeds."""

    recipe: Recipe
    blocks: list[dict[str, Any]]


class Archive:
    """`results.json` and `manifest.json` of an experiment's folder.

    Several processes may add cells to one folder: each takes in what the others wrote before it writes.

    Args:
        folder: where they lie; made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._results_path, self._manifest_path = folder / "results.json", folder / "manifest.json"
        self.results: dict[str, Any] = {ENVIRONMENT: {}}
        self.manifest: dict[str, Any] = {}
        self.read()

    def read(self) -> None:
        """Take in what the files hold.

        A process that dies between writing one and the other leaves runs in one of them alone: those count
        as missing, and are taken in again from where they were trained.
        """
        if self._results_path.is_file():
            self.results = {ENVIRONMENT: {}} | read_checked(self._results_path, Stored)
            self.manifest = {}
            if self._manifest_path.is_file():
                self.manifest = dict(read_checked(self._manifest_path, dict[str, Entry]))
            self._drop_halves()

    def _drop_halves(self) -> None:
        """Leave out runs without provenance, and the provenance of runs that are not there."""
        tasks: dict[str, dict[str, Any]] = {}
        manifest: dict[str, Any] = {}
        for task, labels in self.results[ENVIRONMENT].items():
            for label, runs in labels.items():
                entry = self.manifest.get(f"{task} / {label}", {"blocks": []})
                cut = (
                    (block, [k for k in block["seeds"] if f"seed_{k}" in runs]) for block in entry["blocks"]
                )
                blocks = [{**block, "seeds": seeds} for block, seeds in cut if seeds]
                known = [f"seed_{seed}" for block in blocks for seed in block["seeds"]]
                if known:
                    tasks.setdefault(task, {})[label] = {name: runs[name] for name in runs if name in known}
                    manifest[f"{task} / {label}"] = {**entry, "blocks": blocks}
        self.results[ENVIRONMENT] = tasks
        # In the order in which cells were made.
        self.manifest = {key: manifest[key] for key in self.manifest if key in manifest}

    def runs(self, cell: Cell) -> dict[str, Any]:
        """The finished runs of a cell, seed_<k> -> evaluations."""
        runs: dict[str, Any] = self.results[ENVIRONMENT].get(cell.task, {}).get(cell.label, {})
        return runs

    def recipe(self, cell: Cell) -> Recipe:
        """What a cell that is there was made with; a field that did not exist yet stood at its default."""
        return _complete(self.manifest[cell.key]["recipe"])

    def blocks(self, cell: Cell) -> list[dict[str, Any]]:
        """The blocks of seeds of a cell that is there, with their provenance."""
        blocks: list[dict[str, Any]] = self.manifest[cell.key]["blocks"]
        return blocks

    def made_with(self, cell: Cell, plan: RunPlan) -> bool:
        """Whether a cell is there and was made with the recipe of a plan."""
        recipe = recipe_of(plan.as_dict())
        return cell.key in self.manifest and _same(self.manifest[cell.key]["recipe"], recipe)

    def missing(self, cell: Cell, plan: RunPlan) -> list[int]:
        """Seeds of a plan that are not there, or were made with another recipe."""
        present = self.runs(cell) if self.made_with(cell, plan) else {}
        return [seed for seed in plan.seeds if f"seed_{seed}" not in present]

    def plan(self, cell: Cell, seeds: Sequence[int], device: str) -> RunPlan:
        """The plan of some seeds by the recipe of a cell that is there."""
        recipe = self.recipe(cell)
        return make_plan(**recipe_of(recipe), seeds=seeds, device=device)

    def add(self, cell: Cell, directory: RunDirectory) -> None:
        """Take in a finished run directory and write both files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            self.read()
            self._take(cell, directory)
            write_text(self._results_path, run_per_line(self.results))
            write_json(self._manifest_path, self.manifest)

    def _take(self, cell: Cell, directory: RunDirectory) -> None:
        plan = directory.plan()
        recipe = recipe_of(plan.as_dict())
        made = read_json(directory.manifest)
        runs = runs_of(directory)
        entry = self.manifest.get(cell.key)
        if entry is None or not _same(entry["recipe"], recipe):
            entry = {"recipe": recipe, "blocks": []}
            self.results[ENVIRONMENT].get(cell.task, {}).pop(cell.label, None)
        provenance = {name: made[name] for name in PROVENANCE if name in made}
        elapsed = max(step.get("elapsed_time", 0.0) for step in next(iter(runs.values())).values())
        entry["blocks"].append({"seeds": list(plan.seeds), "seconds": elapsed} | provenance)
        self.manifest[cell.key] = entry
        stored = self.results[ENVIRONMENT].setdefault(cell.task, {}).setdefault(cell.label, {})
        stored.update(runs)


def runs_of(directory: RunDirectory) -> dict[str, Any]:
    """The runs of a run directory, seed_<k> -> evaluations."""
    tasks = read_checked(directory.results, Stored).get(ENVIRONMENT, {})
    found = [runs for algorithms in tasks.values() for runs in algorithms.values()]
    if len(found) != 1:
        raise broken(directory.results, f"it has {len(found)} algorithms on tasks, expected one")
    return dict(found[0])


def run_per_line(results: dict[str, Any]) -> str:
    """The results as JSON with a line per run, which keeps files of thousands of runs small."""
    environments = {
        environment: {
            task: {
                algorithm: {seed: json.dumps(run, separators=(",", ":")) for seed, run in runs.items()}
                for algorithm, runs in algorithms.items()
            }
            for task, algorithms in tasks.items()
        }
        for environment, tasks in results.items()
    }

    def lines(table: dict[str, Any] | str, depth: int) -> str:
        if isinstance(table, str):
            return table
        inside = (f"{' ' * depth}{json.dumps(name)}: {lines(x, depth + 1)}" for name, x in table.items())
        return "{\n" + ",\n".join(inside) + "\n" + " " * (depth - 1) + "}"

    return lines(environments, 1) + "\n"


def _same(stored: Recipe, recipe: Recipe) -> bool:
    """Whether two recipes are one."""
    return stored["algorithm"] == recipe["algorithm"] and _complete(stored) == recipe


def _complete(recipe: Recipe) -> Recipe:
    """A recipe with every field; one that did not exist yet stood at what is now its default."""
    defaults = config_dict(algorithm_spec(recipe["algorithm"]).config_class())
    return {**recipe, "config": defaults | recipe["config"]}
