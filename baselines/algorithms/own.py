"""The suite's own algorithms: one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from baselines.algorithms.spec import AlgorithmSpec
from baselines.algorithms.steer import SteerConfig, build_steer
from baselines.algorithms.step import SequentialPPO, StepConfig, build_step
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.population import Population

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


OWN_ALGORITHMS: tuple[AlgorithmSpec, ...] = (
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
