"""Things put around a game, any PettingZoo game included."""

from wrappers.priority import (
    PriorityRule,
    PriorityVectorEnv,
    WithPriority,
    by_score,
    fixed_order,
    random_order,
)
from wrappers.turns import spatio_temporal

__all__ = [
    "PriorityRule",
    "PriorityVectorEnv",
    "WithPriority",
    "by_score",
    "fixed_order",
    "random_order",
    "spatio_temporal",
]
