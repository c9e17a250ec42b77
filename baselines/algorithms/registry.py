"""One table of algorithms: configuration, network, learner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.happo import HAPPO, HAPPOConfig, build_happo
from baselines.algorithms.mappo import MAPPOConfig, build_ippo, build_mappo
from baselines.algorithms.mat import MATConfig, build_mat
from baselines.algorithms.ppo import PPO
from baselines.algorithms.steer import SteerConfig, build_steer
from baselines.algorithms.step import SequentialPPO, StepConfig, build_step
from baselines.errors import PairingError
from baselines.networks.policy import JointPolicy, PolicySpec
from stmg_envs.errors import UnknownNameError, suggestion
from stmg_envs.protocol import JointSpaces


@dataclass(frozen=True)
class AlgorithmSpec:
    """A row of the table.

    Attributes:
        name: registry name.
        summary: one line for people.
        config_class: its dataclass.
        build: makes one policy from a configuration and sizes.
        learner: what updates a population of them.
        sequential: whether agents see their superiors' actions.
        needs_shared_state: whether all agents must know the state alike.
        needs_equal_actions: whether all agents must have the same action space.
    """

    name: str
    summary: str
    config_class: type[PPOConfig]
    build: Callable[[Any, PolicySpec], JointPolicy]
    learner: type[PPO]
    sequential: bool
    needs_shared_state: bool = False
    needs_equal_actions: bool = False

    def check(self, game: JointSpaces) -> None:
        """Raise PairingError unless the algorithm can play the game."""
        if self.needs_shared_state and game.state_space is None and not game.fully_observed:
            raise PairingError(
                f"{self.name} needs a state that all agents share, which {type(game).__name__} has not; "
                f"use steer, which needs none"
            )
        if self.needs_equal_actions and any(space != game.action_spaces[0] for space in game.action_spaces):
            raise PairingError(
                f"{self.name} needs equal action spaces, and {type(game).__name__} has {game.action_spaces}; "
                f"use steer, which masks what an agent lacks"
            )


ALGORITHMS: dict[str, AlgorithmSpec] = {
    spec.name: spec
    for spec in (
        AlgorithmSpec(
            name="steer",
            summary="Stackelberg decision transformer: sequential decisions, values of subgame states",
            config_class=SteerConfig,
            build=build_steer,
            learner=PPO,
            sequential=True,
        ),
        AlgorithmSpec(
            name="step",
            summary="Conditional hypernetwork over rank and superiors' actions, updated rank by rank",
            config_class=StepConfig,
            build=build_step,
            learner=SequentialPPO,
            sequential=True,
            needs_shared_state=True,
        ),
        AlgorithmSpec(
            name="mat",
            summary="Multi-agent transformer: sequential decisions, values of the state alone",
            config_class=MATConfig,
            build=build_mat,
            learner=PPO,
            sequential=True,
            needs_equal_actions=True,
        ),
        AlgorithmSpec(
            name="mappo",
            summary="PPO with simultaneous decisions and a critic on the whole state",
            config_class=MAPPOConfig,
            build=build_mappo,
            learner=PPO,
            sequential=False,
        ),
        AlgorithmSpec(
            name="happo",
            summary="Separate actors updated one after another with the compound factor",
            config_class=HAPPOConfig,
            build=build_happo,
            learner=HAPPO,
            sequential=False,
        ),
        AlgorithmSpec(
            name="ippo",
            summary="PPO with simultaneous decisions and critics on own observations",
            config_class=MAPPOConfig,
            build=build_ippo,
            learner=PPO,
            sequential=False,
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
        raise UnknownNameError(f"algorithm={name!r} is not registered; {suggestion(name, ALGORITHMS)}")
    return ALGORITHMS[name]
