"""Baseline learners for games with sequential decisions inside a timestep."""

from baselines.algorithms.registry import list_algorithms
from baselines.runs.api import LoadedPolicy, TrainedRun, evaluate, load_policy, train
from baselines.runs.distill import Distilled, distill
from baselines.runs.publish import Published, publish

__all__ = [
    "Distilled",
    "LoadedPolicy",
    "Published",
    "TrainedRun",
    "distill",
    "evaluate",
    "list_algorithms",
    "load_policy",
    "publish",
    "train",
]
