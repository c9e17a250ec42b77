"""Entries: one algorithm on one task, from one results file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.report_inputs import Evaluations, parse_evaluations
from baselines.evaluation.results import RETURN
from baselines.leaderboard.provenance import Kind, Provenance, ProvenanceReader
from baselines.leaderboard.schema import read_results
from baselines.leaderboard.tasks import Task, find_task
from stmg_envs.errors import InvalidArgumentError

PICTURES = (".gif", ".png", ".mp4")
"""Kinds of films and stills that are shown beside results."""
RESULTS = "results.json"
"""What a file of results is called, unless its name says more."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One algorithm on one task.

    Attributes:
        algorithm: its name in the results file.
        task: what was played.
        source: name of the results file's folder; with the algorithm it names a row of the leaderboard.
        folder: that folder.
        runs: names of the runs, (R,).
        evaluations: what they reached, during training and in the end.
        provenance: how they were made, if that is known.
    """

    algorithm: str
    task: Task
    source: str
    folder: Path
    runs: tuple[str, ...]
    evaluations: Evaluations
    provenance: Provenance | None

    @property
    def kind(self) -> Kind:
        """What it is the result of; whatever says nothing of how it was made is an algorithm's."""
        return "algorithm" if self.provenance is None else self.provenance.kind

    @property
    def final(self) -> dict[str, NDArray[np.float64]]:
        """Metrics of the final policies, means over episodes, each (R,)."""
        assert self.evaluations.final is not None  # results without it do not pass the check
        return self.evaluations.final

    @property
    def scores(self) -> NDArray[np.float64]:
        """Normalised returns of the final policies, (R,)."""
        return self.task.scores(self.final[RETURN])

    @property
    def curves(self) -> NDArray[np.float64]:
        """Normalised returns during training, (R, T)."""
        return self.task.scores(self.evaluations.curves[RETURN])


@dataclass(frozen=True)
class Picture:
    """A film or a still that lies beside results.

    Attributes:
        path: the file.
        source: name of its folder's results.
        task: the task it shows, if its folder or its name tells.
    """

    path: Path
    source: str
    task: Task | None


def find_results(paths: Sequence[Path]) -> list[Path]:
    """Results files among paths: files as they are, folders searched for `results.json`.

    Raises:
        InvalidArgumentError: if a path does not exist, or no file is found.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InvalidArgumentError(
                f"{path} does not exist; expected a results file or a folder of some (the published ones are "
                f"docs/results of the source tree, and zoo)"
            )
        found += sorted(path.rglob(RESULTS)) if path.is_dir() else [path]
    files = list(dict.fromkeys(file.resolve() for file in found))
    if not files:
        raise InvalidArgumentError(
            f"{', '.join(map(str, paths))}: no {RESULTS} in there; expected what stmg train wrote"
        )
    return files


def read_entries(files: Sequence[Path]) -> tuple[list[Entry], list[Picture]]:
    """All entries of results files, and the pictures beside them.

    Args:
        files: results files; each is checked.

    Raises:
        InvalidArgumentError, ResultsError: see `read_results`.
    """
    entries: list[Entry] = []
    pictures: list[Picture] = []
    for path, source in zip(files, _sources(files), strict=True):
        reader = ProvenanceReader(path.parent)
        tasks = []
        for environment, by_task in read_results(path).items():
            for name, algorithms in by_task.items():
                task = find_task(environment, name)
                tasks.append(task)
                for algorithm, runs in algorithms.items():
                    evaluations = parse_evaluations(path, runs, list(runs))
                    provenance = reader.find(name, algorithm)
                    entries.append(
                        Entry(algorithm, task, source, path.parent, tuple(runs), evaluations, provenance)
                    )
        beside = (file for file in sorted(path.parent.iterdir()) if file.suffix.lower() in PICTURES)
        pictures += [Picture(file, source, _shown(file, tasks)) for file in beside]
    return entries, pictures


def _shown(picture: Path, tasks: list[Task]) -> Task | None:
    """The task a picture shows: the folder's only one, or the one whose slug its name begins with."""
    if len(tasks) == 1:
        return tasks[0]
    fitting = [task for task in tasks if picture.stem.lower().startswith(task.slug)]
    return max(fitting, key=lambda task: len(task.slug), default=None)


def _sources(files: Sequence[Path]) -> list[str]:
    """Names of distinct files by their folders, with as many parents as tell them apart."""
    short = [file.parent if file.name == RESULTS else file.with_suffix("") for file in files]
    # Endings count where files differ in nothing else.
    places = short if len(set(short)) == len(files) else files
    # Files of other names stand with their folder's name and their own.
    depth = [1 if file.name == RESULTS else 2 for file in files]
    while True:
        names = ["/".join(place.parts[-d:]) for place, d in zip(places, depth, strict=True)]
        twice = {name for name, count in Counter(names).items() if count > 1}
        if not twice:
            return names
        # This ends: whole paths are distinct.
        depth = [d + (name in twice) for name, d in zip(names, depth, strict=True)]
