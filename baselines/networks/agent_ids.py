"""Who an observation is from, for networks that all agents share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.layers import encoder, flat_linear


def with_agent_ids(observations: Tensor) -> Tensor:
    """Append the one-hot agent index: (B, n, obs_dim) to (B, n, obs_dim + n)."""
    batch, n = observations.shape[:2]
    ids = torch.eye(n, device=observations.device, dtype=observations.dtype)
    return torch.cat([observations, ids.expand(batch, n, n)], dim=-1)


class ObservationEncoder(nn.Sequential):
    """The embedding of own observations with one-hot agent ids, (B, n, obs_dim) to (B, n, dim).

    Where there are more agents than numbers in an embedding, ids are not made: what the norm and the product
    make of them is a number for each row and a column of the weights for each agent.

    Args:
        obs_dim: size of an own observation.
        n: number of agents.
        dim: embedding size.
        normalize: whether inputs are normalised.
    """

    def __init__(self, obs_dim: int, n: int, dim: int, normalize: bool) -> None:
        super().__init__(*encoder(obs_dim + n, dim, normalize))

    def forward(self, observations: Tensor) -> Tensor:
        norm, linear, activation = self
        assert isinstance(linear, nn.Linear)
        if observations.shape[1] <= linear.out_features:
            return super().forward(with_agent_ids(observations))
        if isinstance(norm, nn.LayerNorm):
            return activation(_normalized_product(norm, linear, observations))
        return activation(_product(linear, observations))


def _product(linear: nn.Linear, observations: Tensor) -> Tensor:
    """The product of observations and ids."""
    own, ids = linear.weight.split([observations.shape[-1], observations.shape[1]], dim=1)
    return flat_linear(observations, own, linear.bias) + ids.t()


def _normalized_product(norm: nn.LayerNorm, linear: nn.Linear, observations: Tensor) -> Tensor:
    """The product of observations and ids that were normalised together."""
    n, obs_dim = observations.shape[1:]
    width = obs_dim + n
    mean = (observations.sum(dim=-1, keepdim=True) + 1.0) / width
    centred = observations - mean
    squares = centred.square().sum(dim=-1, keepdim=True) + (1.0 - mean).square() + (n - 1) * mean.square()
    scale = (squares / width + norm.eps).rsqrt()
    own, ids = (linear.weight * norm.weight).split([obs_dim, n], dim=1)
    bias = linear.bias + linear.weight @ norm.bias
    return flat_linear(centred * scale, own, bias) + scale * (ids.t() - mean * ids.sum(dim=1))
