"""One table of algorithms: configuration, network, learner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from baselines.algorithms.a2c import A2C, A2CConfig, build_a2c
from baselines.algorithms.config import RunConfig
from baselines.algorithms.ddpg import DDPG, DDPGConfig, build_ddpg
from baselines.algorithms.dqn import DQN, DQNConfig, build_dqn
from baselines.algorithms.happo import HAPPO, HAPPOConfig, build_happo
from baselines.algorithms.learner import Learner
from baselines.algorithms.mappo import MAPPOConfig, build_mappo
from baselines.algorithms.mat import MATConfig, build_mat
from baselines.algorithms.ppo import PPO
from baselines.algorithms.steer import SteerConfig, build_steer
from baselines.algorithms.step import SequentialPPO, StepConfig, build_step
from baselines.errors import PairingError
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.population import Population
from stmg_envs.arguments import shown
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
        discrete_only: whether actions must be discrete.
        fixed: fields of the configuration that make it a variant of its family.
    """

    name: str
    summary: str
    config_class: type[RunConfig]
    build: Callable[[Any, PolicySpec], JointPolicy]
    learner: Callable[[Any, Population, int], Learner]
    sequential: bool
    needs_shared_state: bool = False
    needs_equal_actions: bool = False
    discrete_only: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The algorithm that this is a variant of, which names its presets."""
        return self.name.partition("-")[0]

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
        if self.discrete_only and not game.discrete:
            raise PairingError(
                f"{self.name} needs discrete actions, and {type(game).__name__} has {game.action_spaces[0]}; "
                f"use {self.name.replace('dqn', 'ddpg')}, which takes both"
            )


INTERACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "ind": ("each agent on its own", {"reward_interaction": "own", "central_critic": False}),
    "ctde": ("summed rewards, central critic", {"reward_interaction": "sum", "central_critic": True}),
    "dri": ("differential reward interaction", {"reward_interaction": "dri", "central_critic": False}),
    "dri-naive": ("neighbours' mean reward", {"reward_interaction": "dri-naive", "central_critic": False}),
}
"""What agents make of each other's rewards, by the suffix of an algorithm's name (DRI paper, section 4)."""


def variants(
    family: str,
    summary: str,
    config_class: type[RunConfig],
    build: Callable[[Any, PolicySpec], JointPolicy],
    learner: Callable[[Any, Population, int], Learner],
    discrete_only: bool = False,
) -> Iterator[AlgorithmSpec]:
    """One algorithm with every reward interaction."""
    for suffix, (words, fixed) in INTERACTIONS.items():
        yield AlgorithmSpec(
            name=f"{family}-{suffix}",
            summary=f"{summary}: {words}",
            config_class=config_class,
            build=build,
            learner=learner,
            sequential=False,
            discrete_only=discrete_only,
            fixed=fixed,
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
            build=build_mappo,
            learner=PPO,
            sequential=False,
            fixed={"central_critic": False},
        ),
        *variants("a2c", "Advantage actor-critic", A2CConfig, build_a2c, A2C),
        *variants("dqn", "Deep Q-learning", DQNConfig, build_dqn, DQN, discrete_only=True),
        *variants("ddpg", "Deterministic policy gradient", DDPGConfig, build_ddpg, DDPG),
        *variants("mappo", "PPO with simultaneous decisions", MAPPOConfig, build_mappo, PPO),
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
    if not isinstance(name, str):
        raise UnknownNameError(f"algorithm={shown(name)} is no text; expected one of {list(ALGORITHMS)}")
    if name not in ALGORITHMS:
        raise UnknownNameError(f"algorithm={name!r} is not registered; {suggestion(name, ALGORITHMS)}")
    return ALGORITHMS[name]
