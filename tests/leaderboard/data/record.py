"""What marl-eval and rliable make of `results.json` beside this file, recorded once as `recorded.json`.

They are no dependencies of this project; README.md says how they were installed. Run with their Python:

    python tests/leaderboard/data/record.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from marl_eval.utils.data_processing_utils import create_matrices_for_rliable, data_process_pipeline
from marl_eval.utils.diagnose_data_errors import DiagnoseData
from rliable import metrics

HERE = Path(__file__).parent
BOUNDS = {"penalty(k=-100)": (20 / 9, 10.0), "mixing": (-23 / 6, 2.5), "maintain": (95 / 18, 17.5)}
"""Those of this project, by which returns are normalised here: marl-eval's own come from the data."""

THRESHOLDS = np.linspace(0.0, 1.0, 101)


def aggregates(scores: np.ndarray) -> dict[str, float]:
    """rliable's point estimates of scores (R, M)."""
    return {
        "iqm": float(metrics.aggregate_iqm(scores)),
        "median": float(metrics.aggregate_median(scores)),
        "mean": float(metrics.aggregate_mean(scores)),
        "optimality_gap": float(metrics.aggregate_optimality_gap(scores)),
    }


def compared(tables: dict[str, np.ndarray]) -> dict[str, Any]:
    """Everything recorded of the scores (R, M) of several algorithms."""
    return {
        "scores": {name: scores.tolist() for name, scores in tables.items()},
        "aggregates": {name: aggregates(scores) for name, scores in tables.items()},
        "profiles": {
            name: [float((scores > threshold).mean()) for threshold in THRESHOLDS]
            for name, scores in tables.items()
        },
        "improvement": {
            name: {
                other: float(metrics.probability_of_improvement(scores, against))
                for other, against in tables.items()
                if other != name
            }
            for name, scores in tables.items()
        },
    }


def main() -> None:
    raw = json.loads((HERE / "results.json").read_text())
    processed = data_process_pipeline(raw, [])
    assert list(processed["stmg"]) == list(BOUNDS)
    final, course = create_matrices_for_rliable(processed, "stmg", [])
    low, high = np.array(list(BOUNDS.values())).T
    scores = {name: (table - low) / (high - low) for name, table in final["mean_return"].items()}
    rng = np.random.default_rng(0)
    # Runs whose number four does not divide, ties, and scores outside 0..1.
    drawn = {name: rng.normal(0.6, 0.4, size=(9, 5)).round(2) for name in ("a", "b")}
    recorded = {
        "versions": {name: version(name) for name in ("id-marl-eval", "rliable", "numpy", "scipy")},
        "check": DiagnoseData(raw).check_data(),
        "bounds": BOUNDS,
        "final": compared(scores),
        "efficiency": {
            name: [
                float(metrics.aggregate_iqm(((table - low[:, None]) / (high - low)[:, None])[..., step]))
                for step in range(table.shape[-1])
            ]
            for name, table in course["mean_return"].items()
        },
        "drawn": compared(drawn),
    }
    (HERE / "recorded.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
