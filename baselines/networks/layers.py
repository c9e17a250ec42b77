"""Small layers shared by the networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

RELU_GAIN = math.sqrt(2.0)
"""Orthogonal gain of layers followed by an activation."""
OUTPUT_GAIN = 0.01
"""Orthogonal gain of attention projections, second MLP layers and heads."""


def flat_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map over (..., in_features) with leading axes flattened into one.

    Mapped over a population, the product is then one batched matrix product instead of one per row.
    """
    rows = functional.linear(x.reshape(-1, x.shape[-1]), weight, bias)
    return rows.view(*x.shape[:-1], -1)


class Linear(nn.Linear):
    """A linear layer with orthogonal weights and zero bias.

    Args:
        in_features: input size.
        out_features: output size.
        gain: orthogonal gain.
        bias: whether there is a bias.
    """

    def __init__(self, in_features: int, out_features: int, gain: float, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        nn.init.orthogonal_(self.weight, gain=gain)
        if bias:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return flat_linear(x, self.weight, self.bias)


class AgentLinear(nn.Module):
    """One linear layer for each of n agents, as a single stacked product.

    Args:
        agents: n.
        in_features: input size.
        out_features: output size.
        gain: orthogonal gain.
    """

    def __init__(self, agents: int, in_features: int, out_features: int, gain: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(agents, out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(agents, 1, out_features))
        for weight in self.weight.unbind():
            nn.init.orthogonal_(weight, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, in_features) to (B, n, out_features)."""
        return torch.baddbmm(self.bias, x.transpose(0, 1), self.weight.transpose(1, 2)).transpose(0, 1)


class AgentLayerNorm(nn.Module):
    """A layer norm with separate scales and offsets for each of n agents, (B, n, features).

    Args:
        agents: n.
        features: size that is normalised.
    """

    def __init__(self, agents: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(agents, features))
        self.bias = nn.Parameter(torch.zeros(agents, features))

    def forward(self, x: Tensor) -> Tensor:
        if len(self.weight) == 1:
            return functional.layer_norm(x, x.shape[-1:], self.weight[0], self.bias[0])
        return functional.layer_norm(x, x.shape[-1:]) * self.weight + self.bias


def mlp(dim: int, hidden: int, out: int) -> nn.Sequential:
    """Linear - GELU - Linear, the feed-forward part of an attention block."""
    return nn.Sequential(Linear(dim, hidden, RELU_GAIN), nn.GELU(), Linear(hidden, out, OUTPUT_GAIN))


def head(dim: int, out: int) -> nn.Sequential:
    """Linear - GELU - LayerNorm - Linear, an actor or critic head."""
    return nn.Sequential(
        Linear(dim, dim, RELU_GAIN), nn.GELU(), nn.LayerNorm(dim), Linear(dim, out, OUTPUT_GAIN)
    )


def encoder(in_features: int, dim: int) -> nn.Sequential:
    """LayerNorm - Linear - GELU, the embedding of an observation or a state."""
    return nn.Sequential(nn.LayerNorm(in_features), Linear(in_features, dim, RELU_GAIN), nn.GELU())
