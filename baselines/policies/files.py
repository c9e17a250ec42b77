"""What an evaluation of policies leaves on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from baselines.errors import RunDirectoryError
from baselines.evaluation.results import ENVIRONMENT
from baselines.policies.evaluation import Evaluation, Task
from baselines.policies.limits import Limits
from baselines.runs.provenance import provenance
from baselines.storage import write_json


def results_path(out: Path) -> Path:
    """The results file in a folder, or the file itself if the name ends with .json.

    Raises:
        RunDirectoryError: if it exists, or cannot be made.
    """
    path = out if out.suffix == ".json" else out / "results.json"
    try:
        taken = path.exists()
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be made ({error}); choose another --out") from None
    if taken:
        raise RunDirectoryError(f"{path} exists already; choose another --out")
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise RunDirectoryError(
            f"{path} cannot be made ({nearest} is no folder for it); choose another --out"
        )
    return path


class EvaluationFiles:
    """The results file of a batch, and in a folder `manifest.json` beside it, whole after every policy.

    The manifest says what happened to each policy, and holds the last of what it printed. A policy with
    episodes that count nothing is in the manifest only.

    Args:
        out: a folder to be made, or a results file whose name ends with .json.
        task: what is played.
        arguments: keyword arguments of every policy.
        limits: what each may use.

    Attributes:
        path: the results file.

    Raises:
        RunDirectoryError: if it exists, or cannot be made.
    """

    def __init__(self, out: Path, task: Task, arguments: Mapping[str, Any], limits: Limits) -> None:
        self.path = results_path(out)
        self._manifest = None if self.path == out else out / "manifest.json"
        self._task, self._arguments, self._limits = task, arguments, limits
        self._made = {**provenance("stmg evaluate --policy"), "seeds": list(task.seeds)}
        self._algorithms: dict[str, Any] = {}
        self._entries: dict[str, Any] = {}

    def add(self, evaluation: Evaluation) -> None:
        """Write what has become of a policy, with those before it."""
        runs = evaluation.tally.run_metrics()
        if runs is not None:
            self._algorithms[evaluation.name] = {
                f"seed_{seed}": _run(metrics) for seed, metrics in zip(self._task.seeds, runs, strict=True)
            }
        entry = _entry(self._task, self._arguments, self._limits, evaluation)
        # The policies to come may read this file, so the salt is not in it yet.
        self._entries[f"{self._task.name} / {evaluation.name}"] = {**entry, "blocks": [self._made]}
        self._write()

    def publish(self) -> None:
        """Write the salt beside the results; no policy plays any more."""
        self._made |= self._task.salt.published()
        if self._entries:
            self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._algorithms:
            write_json(self.path, {ENVIRONMENT: {self._task.name: self._algorithms}})
        if self._manifest is not None:
            write_json(self._manifest, self._entries)


def _run(metrics: dict[str, list[float]]) -> dict[str, Any]:
    """A run without training: its first evaluation is its last."""
    table = {"elapsed_time": 0.0, **metrics}
    return {"step_0": {"step_count": 0, **table}, "absolute_metrics": table}


def _entry(
    task: Task,
    arguments: Mapping[str, Any],
    limits: Limits,
    evaluation: Evaluation,
) -> dict[str, Any]:
    verdict, tally = evaluation.verdict, evaluation.tally
    return {
        "recipe": {
            "algorithm": evaluation.policy,
            "env_id": task.env_id,
            "env_args": dict(task.env_args),
            "config": dict(arguments),
        },
        "status": evaluation.status,
        "detail": evaluation.detail,
        "episodes": tally.finished.size,
        "finished_episodes": int(tally.finished.sum()),
        "failed_return": None if tally.finished.all() else tally.failed_return,
        "decision_seconds": round(evaluation.seconds, 3),
        "ended_processes": verdict.left,
        "processes_that_stayed": verdict.stayed,
        "namespaces": verdict.separate,
        "printed_bytes": verdict.printed,
        "printed": verdict.output,
        "limits": vars(limits),
    }
