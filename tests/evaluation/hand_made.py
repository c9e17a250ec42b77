"""Run directories made by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.evaluation.results import task_name

Metrics = dict[str, list[float]]


def make_run(
    directory: Path,
    *,
    env_id: str = "stmg/Penalty-v0",
    env_args: Mapping[str, Any] | None = None,
    task: str | None = None,
    algorithm: str = "steer",
    seeds: Sequence[int] = (0, 1),
    steps: Sequence[int] = (0, 100, 200),
    evaluate: Callable[[int, int], Metrics],
    final: Callable[[int], Metrics] | None = None,
    plays: Callable[[int], tuple[list[list[float]], list[float]]] | None = None,
    train: Callable[[int, int], dict[str, float]] | None = None,
    priority: Sequence[str] | str | None = None,
    **manifest: Any,
) -> Path:
    """Write the files of a run.

    Args:
        directory: where to; it is made.
        env_id: environment id.
        env_args: arguments of the game.
        task: task name; by default that of the environment and its arguments.
        algorithm: registry name.
        seeds: one per run.
        steps: when the runs were evaluated; one training update lies before each but the first.
        evaluate: (seed, step) -> metrics of an evaluation.
        final: seed -> metrics of the final policy, if there is one.
        plays: seed -> joint actions and returns of the first greedy episode, if there are any.
        train: (seed, step) -> training metrics of the update that ended at the step.
        priority: as in `run.json`.
        **manifest: further entries of `run.json`.
    """
    directory.mkdir(parents=True)
    arguments = dict({"k": -100} if env_args is None else env_args)
    entries = {
        "algorithm": algorithm,
        "env_id": env_id,
        "env_args": arguments,
        "seeds": list(seeds),
        "device": "cpu",
        "priority": priority,
        "config": {"total_steps": 200, "learning_rate": 0.0005, "use_state": True},
        "command": "stmg train steer",
        "commit": "0123456789abcdef",
        "python": "3.11.7",
        "platform": "Linux x86_64",
        "threads": 1,
        "versions": {"stmg": "0.1.0", "torch": "2.13.0"},
    }
    (directory / "run.json").write_text(json.dumps(entries | manifest))
    runs: dict[str, Any] = {}
    for seed in seeds:
        run = {
            f"step_{index}": {"step_count": step, "elapsed_time": step / 2} | evaluate(seed, step)
            for index, step in enumerate(steps)
        }
        runs[f"seed_{seed}"] = run | ({} if final is None else {"absolute_metrics": final(seed)})
    (directory / "results.json").write_text(
        json.dumps({"stmg": {task or task_name(env_id, arguments): {algorithm: runs}}})
    )
    if plays is not None:
        table = {
            f"seed_{seed}": dict(zip(("actions", "returns"), plays(seed), strict=True)) for seed in seeds
        }
        (directory / "plays.json").write_text(json.dumps(table))
    train = train or _metrics
    rows = [
        {"step": step, "elapsed": step / 2, "seed": seed} | train(seed, step)
        for step in steps[1:]
        for seed in seeds
    ]
    if rows:
        with (directory / "metrics.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return directory


def _metrics(seed: int, step: int) -> dict[str, float]:
    return {"episode_return": seed + step / 100, "policy_loss": -0.01 * seed, "entropy": 1 / (1 + step)}


def outcome(seed: int) -> tuple[list[float], float, bool]:
    """Twelve of sixteen runs find the optimum, the others the safe joint action."""
    return ([0.0, 2.0], 10.0, True) if seed < 12 else ([1.0, 1.0], 2.0, False)


def evaluate(seed: int, step: int) -> Metrics:
    _, value, optimal = outcome(seed) if step else ([], -100.0, False)
    return {"return": [value, value], "optimal": [float(optimal)]}


def final(seed: int) -> Metrics:
    return evaluate(seed, 200)


def plays(seed: int) -> tuple[list[list[float]], list[float]]:
    actions, value, _ = outcome(seed)
    return [actions], [value, value]
