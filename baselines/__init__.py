"""Baseline learners for games with sequential decisions inside a timestep."""

from baselines.algorithms.registry import list_algorithms
from baselines.runs.api import LoadedPolicy, TrainedRun, evaluate, load_policy, train

__all__ = ["LoadedPolicy", "TrainedRun", "evaluate", "list_algorithms", "load_policy", "train"]
