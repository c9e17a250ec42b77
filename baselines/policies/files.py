"""What an evaluation of policies leaves on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.errors import RunDirectoryError
from baselines.evaluation.results import ENVIRONMENT
from baselines.policies.evaluation import Evaluation, Task
from baselines.policies.process import Limits
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


def write_evaluations(
    out: Path, task: Task, arguments: Mapping[str, Any], limits: Limits, evaluations: Sequence[Evaluation]
) -> Path:
    """Write the results file, and in a folder `manifest.json` beside it.

    The manifest says what happened to each policy, and holds the last of what it printed. A policy with
    episodes that count nothing is in the manifest only.

    Returns:
        The results file.

    Raises:
        RunDirectoryError: if it exists.
    """
    path = results_path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    algorithms = {}
    for evaluation in evaluations:
        runs = evaluation.tally.run_metrics()
        if runs is not None:
            algorithms[evaluation.name] = {
                f"seed_{seed}": _run(metrics) for seed, metrics in zip(task.seeds, runs, strict=True)
            }
    if algorithms:
        write_json(path, {ENVIRONMENT: {task.name: algorithms}})
    if path.parent == out:
        made = provenance("stmg evaluate --policy")
        entries = {
            f"{task.name} / {evaluation.name}": _entry(task, arguments, limits, evaluation, made)
            for evaluation in evaluations
        }
        write_json(out / "manifest.json", entries)
    return path


def _run(metrics: dict[str, list[float]]) -> dict[str, Any]:
    """A run without training: its first evaluation is its last."""
    table = {"elapsed_time": 0.0, **metrics}
    return {"step_0": {"step_count": 0, **table}, "absolute_metrics": table}


def _entry(
    task: Task,
    arguments: Mapping[str, Any],
    limits: Limits,
    evaluation: Evaluation,
    made: Mapping[str, Any],
) -> dict[str, Any]:
    verdict, tally = evaluation.verdict, evaluation.tally
    return {
        "recipe": {
            "algorithm": evaluation.policy,
            "env_id": task.env_id,
            "env_args": dict(task.env_args),
            "config": dict(arguments),
        },
        "blocks": [{**made, "seeds": list(task.seeds)}],
        "status": evaluation.status,
        "detail": evaluation.detail,
        "episodes": tally.finished.size,
        "finished_episodes": int(tally.finished.sum()),
        "failed_return": None if tally.finished.all() else tally.failed_return,
        "decision_seconds": round(evaluation.seconds, 3),
        "ended_processes": verdict.left,
        "printed_bytes": verdict.printed,
        "printed": verdict.output,
        "limits": vars(limits),
    }
