"""Results that are well formed and cannot be: beyond the optimum, rates of 7, copies, unequal lengths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baselines.evaluation.report_inputs import read_run
from baselines.leaderboard.entries import read_entries
from fuzz import originals
from fuzz.judge import Case, Kind
from fuzz.mutations import Rng, pick

EPISODES = 20
STEPS = ("step_0", "step_1", "step_2", "absolute_metrics")
Runs = dict[str, dict[str, dict[str, Any]]]


def made(rng: Rng) -> Runs:
    """Two runs as a game with chance would give them."""
    return {
        f"seed_{seed}": {
            step: ({} if step == STEPS[-1] else {"step_count": 20 * index})
            | {
                "elapsed_time": float(index),
                "return": rng.uniform(-50, 10, EPISODES).round(3).tolist(),
                "optimal": rng.integers(0, 2, EPISODES).astype(float).tolist(),
            }
            for index, step in enumerate(STEPS)
        }
        for seed in (0, 1)
    }


def spoiled(rng: Rng, runs: Runs) -> str:
    """Make one thing impossible; what it was."""
    run, step = pick(rng, list(runs)), pick(rng, STEPS)
    entry, at = runs[run][step], int(rng.integers(EPISODES))
    what = int(rng.integers(8))
    if what == 0:
        entry["return"][at] = 10.0 + float(10.0 ** rng.uniform(-3, 6))
        return f"{run} {step}: a return of {entry['return'][at]}"
    if what == 1:
        entry["optimal"][at] = float(pick(rng, (7.0, -0.25, 1.001, 1e9)))
        return f"{run} {step}: optimal={entry['optimal'][at]}"
    if what == 2:
        del entry[pick(rng, ("return", "optimal"))][at]
        return f"{run} {step}: one episode less of one metric"
    if what == 3:
        for name in ("return", "optimal"):
            entry[name] = entry[name][: 1 + int(rng.integers(EPISODES - 1))]
        return f"{run} {step}: fewer episodes"
    if what == 4:
        runs["seed_1"] = json.loads(json.dumps(runs["seed_0"]))
        return "one run twice"
    if what == 5:
        runs[run.upper()] = json.loads(json.dumps(runs[run]))
        return f"{run} in capitals too"
    if what == 6:
        entry["elapsed_time"] = -1.0
        return f"{run} {step}: a time below 0"
    runs[run]["step_1"]["step_count"] = pick(rng, (-20, 20.5, 40, 0))
    return f"{run} step_1: after {runs[run]['step_1']['step_count']} steps"


def kind(original: Callable[[], Path], read: Callable[[Path], Any]) -> Kind:
    def case(rng: Rng, folder: Path) -> Case:
        copy = originals.copy_of(original(), folder / "copy")
        runs = made(rng)
        write(copy, runs)
        # Whatever is refused later is refused for what was changed.
        read(copy)
        change = spoiled(rng, runs)
        write(copy, runs)
        return Case(change, lambda: read(copy))

    return case


def write(folder: Path, runs: Runs) -> None:
    results = {"stmg": {originals.CELL.task: {originals.CELL.algorithm: runs}}}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


IMPOSSIBLE: dict[str, Kind] = {
    "impossible run": kind(originals.run, lambda folder: read_run(folder).task),
    "impossible results file": kind(
        originals.archive, lambda folder: len(read_entries([folder / "results.json"])[0])
    ),
}
