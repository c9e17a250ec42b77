"""Small configurations of every algorithm, for tests of what all algorithms must do."""

from __future__ import annotations

from typing import Any

import baselines
from baselines.algorithms.config import OnPolicyConfig
from baselines.algorithms.registry import algorithm_spec

SIZES: dict[str, dict[str, Any]] = {
    "steer": {"embedding_dim": 16},
    "step": {"condition_dim": 8, "hidden_size": 8},
    "mat": {"embedding_dim": 16},
    "mappo": {"hidden_size": 16},
    "happo": {"hidden_size": 16},
    "ippo": {"hidden_size": 16},
    "a2c-dri": {"hidden_size": 16},
    "dqn-ctde": {"hidden_size": 16},
    "dqn-dri": {"hidden_size": 16},
    "ddpg-ctde": {"hidden_size": 16},
    "ddpg-ind": {"hidden_size": 16},
}
"""At least one of every family of algorithms."""

families = {algorithm_spec(name).family for name in baselines.list_algorithms()}
assert {algorithm_spec(name).family for name in SIZES} == families, "every family needs a small size"

MINIBATCHES = [
    (name, minibatches)
    for name in SIZES
    for minibatches in (1, 2)
    if minibatches == 1 or issubclass(algorithm_spec(name).config_class, OnPolicyConfig)
]
"""Every algorithm, with a rollout as a whole and in parts where it learns from rollouts."""


def parts(minibatches: int) -> dict[str, int]:
    """The configuration of so many parts; nothing for one, which is the default."""
    return {} if minibatches == 1 else {"minibatches": minibatches}
