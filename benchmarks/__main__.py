"""Run every benchmark with its defaults."""

from __future__ import annotations

import runpy
import sys

NAMES = (
    "startup",
    "vector_env_speed",
    "particle_speed",
    "merge_speed",
    "pool_speed",
    "mujoco_speed",
    "football_speed",
    "stable_baselines3_speed",
    "decision_time",
    "population_update",
    "training_speed",
)

for name in NAMES:
    sys.argv = [name]
    try:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    except SystemExit as stop:
        if stop.code:
            raise
