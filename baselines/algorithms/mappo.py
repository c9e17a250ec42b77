"""MAPPO and IPPO: proximal policy optimisation with simultaneous decisions.

Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games". MAPPO's critic
sees the whole state, IPPO's the agent's own observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from baselines.algorithms.config import PPOConfig
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec


@dataclass(frozen=True)
class MAPPOConfig(PPOConfig):
    """Configuration of MAPPO and IPPO."""

    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 64
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2
    shared: Annotated[bool, Field(description="one actor for all agents instead of one for each")] = True


def build_mappo(config: MAPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration, with a central critic."""
    return MLPPolicy(spec, (config.hidden_size,) * config.hidden_layers, config.shared, central=True)


def build_ippo(config: MAPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration, with critics on own observations."""
    return MLPPolicy(spec, (config.hidden_size,) * config.hidden_layers, config.shared, central=False)
