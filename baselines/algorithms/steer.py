r"""STEER: proximal policy optimisation of the Stackelberg decision transformer.

Every agent maximises its own reward given the actions of its superiors; all ranks update at once (STEER
paper, section 5, "Training Paradigm"). Policies and values are of subgame states: for the agent of rank $i$

$$
\pi^i(a^i \mid s, a^{1:i-1}), \qquad V^i(s, a^{1:i-1}), \qquad
\delta^i_t = r^i_t + \gamma V^i(s_{t+1}, a^{1:i-1}_{t+1}) - V^i(s_t, a^{1:i-1}_t).
$$

Where we deviate from the authors' code: the value of a successor state uses actions sampled for that state
(the code reuses the previous ones), the Huber loss is two-sided (theirs is zero for errors below -delta),
advantages are normalised per agent, and the entropy coefficient can anneal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from baselines.algorithms.config import PPOConfig
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.steer import SteerNetwork


@dataclass(frozen=True)
class SteerConfig(PPOConfig):
    """Configuration of STEER."""

    embedding_dim: Annotated[int, Field(gt=0, description="size of embeddings")] = 64
    blocks: Annotated[int, Field(gt=0, description="blocks in each of the inner and the outer part")] = 1
    heads: Annotated[int, Field(gt=0, description="attention heads")] = 1
    use_state: Annotated[bool, Field(description="token 0 encodes the global state where there is one")] = (
        True
    )
    inner: Annotated[
        Literal["attention", "mlp", "none"], Field(description="the inner block, or its ablation")
    ] = "attention"
    outer: Annotated[
        Literal["attention", "gru", "none"], Field(description="the outer block, or its ablation")
    ] = "attention"


def build_steer(config: SteerConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return SteerNetwork(
        spec,
        config.embedding_dim,
        config.blocks,
        config.heads,
        config.use_state,
        config.inner,
        config.outer,
    )
