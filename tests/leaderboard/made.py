"""Results files made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.leaderboard.board import Board, make_board
from baselines.leaderboard.entries import find_results, read_entries


def made_runs(returns: Sequence[float], steps: Sequence[int] = (0, 50, 100), **metrics: float) -> Any:
    """Runs that reach these returns in the end, and that times the share of training before."""
    return {
        f"seed_{seed}": {
            **{
                f"step_{index}": {"step_count": step, "return": [value * step / steps[-1]]}
                | {name: [number] for name, number in metrics.items()}
                for index, step in enumerate(steps)
            },
            "absolute_metrics": {"return": [value, value]}
            | {name: [number, number] for name, number in metrics.items()},
        }
        for seed, value in enumerate(returns)
    }


def write_results(folder: Path, tasks: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write `results.json` of tasks, task -> algorithm -> runs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    path.write_text(json.dumps({"stmg": tasks}))
    return path


def board_of(*folders: Path) -> Board:
    return make_board(read_entries(find_results(folders))[0])
