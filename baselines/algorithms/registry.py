"""One table of algorithms: configuration, network, learner."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.mappo import MAPPOConfig, build_ippo, build_mappo
from baselines.algorithms.mat import MATConfig, build_mat
from baselines.algorithms.ppo import PPO
from baselines.algorithms.steer import SteerConfig, build_steer
from baselines.networks.policy import JointPolicy, PolicySpec
from stmg_envs.errors import UnknownNameError


@dataclass(frozen=True)
class AlgorithmSpec:
    """A row of the table.

    Attributes:
        name: registry name.
        summary: one line for people.
        config_class: its dataclass.
        build: makes one policy from a configuration and sizes.
        learner: what updates a population of them.
    """

    name: str
    summary: str
    config_class: type[PPOConfig]
    build: Callable[[Any, PolicySpec], JointPolicy]
    learner: type[PPO]


ALGORITHMS: dict[str, AlgorithmSpec] = {
    spec.name: spec
    for spec in (
        AlgorithmSpec(
            name="steer",
            summary="Stackelberg decision transformer: sequential decisions, values of subgame states",
            config_class=SteerConfig,
            build=build_steer,
            learner=PPO,
        ),
        AlgorithmSpec(
            name="mat",
            summary="Multi-agent transformer: sequential decisions, values of the state alone",
            config_class=MATConfig,
            build=build_mat,
            learner=PPO,
        ),
        AlgorithmSpec(
            name="mappo",
            summary="PPO with simultaneous decisions and a critic on the whole state",
            config_class=MAPPOConfig,
            build=build_mappo,
            learner=PPO,
        ),
        AlgorithmSpec(
            name="ippo",
            summary="PPO with simultaneous decisions and critics on own observations",
            config_class=MAPPOConfig,
            build=build_ippo,
            learner=PPO,
        ),
    )
}


def list_algorithms() -> list[str]:
    """Names of all algorithms."""
    return list(ALGORITHMS)


def algorithm_spec(name: str) -> AlgorithmSpec:
    """The row of an algorithm.

    Raises:
        UnknownNameError: for an unknown name, with the nearest known one.
    """
    if name not in ALGORITHMS:
        near = difflib.get_close_matches(name, ALGORITHMS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {list_algorithms()}"
        raise UnknownNameError(f"algorithm={name!r} is not registered; {hint}")
    return ALGORITHMS[name]
