"""Things put around a game, any PettingZoo game included."""

from wrappers.differential_reward import DifferentialReward, Mode, Reshaped, reshape_rewards
from wrappers.external import external_env, external_vector_env, game_of, is_external, names_module
from wrappers.merge import merging_order
from wrappers.one_agent import OneAgent
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
    "DifferentialReward",
    "Mode",
    "OneAgent",
    "PriorityRule",
    "PriorityVectorEnv",
    "Reshaped",
    "WithPriority",
    "by_score",
    "external_env",
    "external_vector_env",
    "fixed_order",
    "game_of",
    "is_external",
    "merging_order",
    "names_module",
    "random_order",
    "reshape_rewards",
    "spatio_temporal",
]
