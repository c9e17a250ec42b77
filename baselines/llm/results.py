"""Results files of language models, for the leaderboard."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from baselines.evaluation.greedy import reached_optimum
from baselines.evaluation.results import ENVIRONMENT
from baselines.leaderboard.tasks import known_bounds
from baselines.llm.requests import Usage
from baselines.llm.stage import Stage
from baselines.llm.summary import Summary
from baselines.policies.tally import Tally
from baselines.runs.provenance import provenance
from baselines.storage import write_json


def algorithm_name(summary: Summary) -> str:
    """What the leaderboard calls it; names there have no commas."""
    setup = summary.setup
    return f"{setup.method.name} ({setup.sampling.model})".replace(",", " ")


def write_results(folder: Path, transcript: Path, summary: Summary) -> Path:
    """Write `results.json` and `manifest.json` into a folder.

    Repeats are runs. An episode that failed counts as somebody's policy that fails: the task's lower bound,
    or the worst episode that came to its end if that is less; if there is neither, there are no results.

    Returns:
        The results file; it is not there if nothing counts.
    """
    setup = summary.setup
    name = algorithm_name(summary)
    runs = _runs(summary)
    path = folder / "results.json"
    if runs is not None:
        named = {f"seed_{repeat}": run for repeat, run in enumerate(runs)}
        write_json(path, {ENVIRONMENT: {setup.task: {name: named}}})
    entry = {
        "recipe": {
            "algorithm": setup.method.name,
            "env_id": setup.env_id,
            "env_args": dict(setup.env_args),
            "config": {**asdict(setup.method), **asdict(setup.sampling), "prompts": setup.prompts},
        },
        "blocks": [{**provenance("stmg llm run"), "seeds": list(setup.seeds)}],
        "language_model": {
            "model": setup.sampling.model,
            "host": setup.host,
            "date": summary.date,
            "episodes": len(summary.ends),
            "missing": summary.missing,
            "success": summary.success,
            "steps": None if summary.steps is None else asdict(summary.steps),
            "calls": sum(summary.calls.values()),
            "tokens": summary.usage.tokens,
            "transcript": transcript.name,
            "digest": hashlib.sha256(transcript.read_bytes()).hexdigest(),
        },
    }
    write_json(folder / "manifest.json", {f"{setup.task} / {name}": entry})
    return path


def _runs(summary: Summary) -> list[dict[str, Any]] | None:
    """Metrics of each repeat, or None if episodes are missing or nothing counts."""
    setup = summary.setup
    shape = (setup.repeats, len(setup.seeds))
    if summary.missing:
        return None
    low = known_bounds().get(setup.task, (None, None))[0]
    with closing(Stage(setup.env_id, setup.env_args)) as stage:
        stage.reset(setup.seeds[0])
        tally = Tally(*shape, stage.n, low)
        tally.returns = np.array([end["returns"] for end in summary.ends]).reshape(*shape, stage.n)
        tally.finished = np.array([end["failure"] is None for end in summary.ends]).reshape(shape)
        priority = np.broadcast_to(np.array(stage.priority), (*shape, stage.n))
        optimal = reached_optimum(stage.env, tally.returns, priority)
        tally.optimal = None if optimal is None else optimal & tally.finished
    if tally.finished.all():
        tally.metrics = {
            name: np.array([end["metrics"][name] for end in summary.ends]).reshape(shape)
            for name in summary.metrics
        }
    counted = tally.run_metrics()
    if counted is None:
        return None
    runs = []
    for repeat, metrics in enumerate(counted):
        ends = summary.ends[repeat * shape[1] : (repeat + 1) * shape[1]]
        told = {
            "success": [float(end["success"]) for end in ends],
            "feedback": [float(end["feedback"]) for end in ends],
            "tokens": [float(Usage(**end["usage"]).tokens) for end in ends],
        }
        table = {"elapsed_time": 0.0, **metrics, **told}
        runs.append({"step_0": {"step_count": 0, **table}, "absolute_metrics": table})
    return runs
