r"""MAT: proximal policy optimisation of the multi-agent transformer.

Wen et al. 2022. The loss is STEER's; what differs is the network, whose values do not depend on superiors'
actions:

$$
\pi^i(a^i \mid o^{1:n}, a^{1:i-1}), \qquad V^i(o^{1:n}).
$$

The authors' Huber loss is zero for errors below -delta; ours is two-sided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from baselines.algorithms.config import PPOConfig
from baselines.networks.mat import MATNetwork
from baselines.networks.policy import JointPolicy, PolicySpec


@dataclass(frozen=True)
class MATConfig(PPOConfig):
    """Configuration of MAT."""

    embedding_dim: Annotated[int, Field(gt=0, description="size of embeddings")] = 64
    blocks: Annotated[int, Field(gt=0, description="blocks in each of encoder and decoder")] = 1
    heads: Annotated[int, Field(gt=0, description="attention heads")] = 1


def build_mat(config: MATConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return MATNetwork(spec, config.embedding_dim, config.blocks, config.heads)
