"""Where trained policies are kept under a name: `zoo/<name>`, a run directory of one seed.

It holds the policy's parameters alone, what it was trained with, and its results in fresh episodes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from baselines.errors import RunDirectoryError
from baselines.evaluation.comparison import interval_text, outcome_interval
from baselines.evaluation.numbers import compact
from baselines.evaluation.results import read_absolute_metrics
from baselines.runs.directory import RunDirectory
from baselines.runs.paths import require_path
from stmg_envs.arguments import require_flag

ZOO = Path("zoo")
ORIGINS = (Path(__file__).parents[2], Path(__file__).parents[1])
"""Folders with a zoo that came with the package: the source tree, or the package installed without it."""


def find_folder(path: Path) -> Path:
    """A path as it is; `zoo` and what is below it, where it is not here, of what came with the package."""
    if path.parts[:1] != ZOO.parts or path.exists():
        return path
    return next((origin / path for origin in ORIGINS if (origin / path).exists()), path)


def find_run(run_dir: str | Path, trust: bool = False) -> RunDirectory:
    """A run directory by its path; `zoo/<name>` is looked for here and in what came with the package.

    Args:
        run_dir: its path.
        trust: whether a module that its manifest names may be imported.

    Raises:
        RunDirectoryError: if the name is none of the zoo.
    """
    require_flag("trust", trust)
    path = find_folder(require_path("run_dir", run_dir))
    if path.parts[:1] == ZOO.parts and not path.exists():
        names = [directory.path.name for directory in zoo_entries()]
        raise RunDirectoryError(f"{str(path)!r} is not there; expected one of {names or 'none, it is empty'}")
    return RunDirectory(path, trust)


def zoo_entries() -> list[RunDirectory]:
    """All entries, here and from the package, by name; of two, the one here, as `find_run` finds it."""
    folders = (*(origin / ZOO for origin in reversed(ORIGINS)), ZOO.resolve())
    paths = {path.parent.name: path.parent for folder in folders for path in folder.glob("*/run.json")}
    return [RunDirectory(paths[name]) for name in sorted(paths)]


def entry_results(directory: RunDirectory) -> dict[str, str]:
    """What the policy of an entry did in fresh episodes: of each metric the mean and its 95 % interval.

    A game without chance is played once; then there is no interval.
    """
    plan = directory.recorded()
    metrics = read_absolute_metrics(directory.results, plan.task, plan.algorithm.name, plan.seeds[0])
    return {
        name: interval_text(outcome_interval(name, np.array(values)))
        if len(values) > 1
        else compact(values[0])
        for name, values in metrics.items()
    }
