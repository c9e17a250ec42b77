r"""MAPPO and IPPO: proximal policy optimisation with simultaneous decisions.

Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games". MAPPO's critic sees
the whole state, IPPO's the agent's own observation:

$$
\pi^i(a^i \mid o^i), \qquad V^i(s)\ \text{or}\ V^i(o^i).
$$
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from baselines.algorithms.config import PPOConfig
from baselines.errors import ConfigError
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.recurrent import RecurrentPolicy


@dataclass(frozen=True)
class MAPPOConfig(PPOConfig):
    """Configuration of MAPPO and IPPO."""

    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 64
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2
    shared: Annotated[bool, Field(description="one actor for all agents instead of one for each")] = True
    central_critic: Annotated[bool, Field(description="the critic sees the whole state")] = True
    recurrent: Annotated[bool, Field(description="actor and critic remember, with recurrent units")] = False
    chunk_length: Annotated[int, Field(gt=0, description="timesteps that gradients of memory flow back")] = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.recurrent and self.rollout_steps % self.chunk_length:
            raise ConfigError(
                f"chunk_length={self.chunk_length} does not divide rollout_steps={self.rollout_steps}; "
                f"expected one that does"
            )


def build_mappo(config: MAPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    hidden = (config.hidden_size,) * config.hidden_layers
    if not config.recurrent:
        return MLPPolicy(spec, hidden, config.shared, config.central_critic)
    return RecurrentPolicy(spec, hidden, config.shared, config.central_critic, config.chunk_length)
