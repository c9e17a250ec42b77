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
    if x.dim() == 2:
        return functional.linear(x, weight, bias)
    rows = functional.linear(x.reshape(-1, x.shape[-1]), weight, bias)
    return rows.view(*x.shape[:-1], weight.shape[0])


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


def linear(in_features: int, out_features: int, gain: float, agents: int | None) -> nn.Module:
    """A layer that all agents share, or one stacked product of a separate layer for each of `agents`."""
    if agents is None:
        return Linear(in_features, out_features, gain)
    return AgentLinear(agents, in_features, out_features, gain)


def norm(features: int, agents: int | None) -> nn.Module:
    """A layer norm that all agents share, or a separate one for each of `agents`."""
    return nn.LayerNorm(features) if agents is None else AgentLayerNorm(agents, features)


class GRULayer(nn.Module):
    """A gated recurrent unit (Cho et al. 2014), one step at a time.

    Written out in products, because torch's own has no rule for `vmap`.

    Args:
        dim: size of inputs and of the hidden state.
        agents: number of separate units, for inputs (B, n, dim), or None for a shared one.
    """

    def __init__(self, dim: int, agents: int | None = None) -> None:
        super().__init__()
        self.input = linear(dim, 3 * dim, 1.0, agents)
        self.hidden = linear(dim, 3 * dim, 1.0, agents)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Inputs (B, ..., dim) and the hidden state before them to the hidden state after them."""
        reset_x, update_x, new_x = self.input(x).chunk(3, dim=-1)
        reset_h, update_h, new_h = self.hidden(hidden).chunk(3, dim=-1)
        reset, update = (reset_x + reset_h).sigmoid(), (update_x + update_h).sigmoid()
        new = (new_x + reset * new_h).tanh()
        return update * hidden + (1.0 - update) * new


def mlp(dim: int, hidden: int, out: int) -> nn.Sequential:
    """Linear - GELU - Linear, the feed-forward part of an attention block."""
    return nn.Sequential(Linear(dim, hidden, RELU_GAIN), nn.GELU(), Linear(hidden, out, OUTPUT_GAIN))


def head(dim: int, out: int) -> nn.Sequential:
    """Linear - GELU - LayerNorm - Linear, an actor or critic head."""
    return nn.Sequential(
        Linear(dim, dim, RELU_GAIN), nn.GELU(), nn.LayerNorm(dim), Linear(dim, out, OUTPUT_GAIN)
    )


def encoder(in_features: int, dim: int, normalize: bool) -> nn.Sequential:
    """LayerNorm (where inputs are normalised) - Linear - GELU, the embedding of an observation or a state."""
    norm = nn.LayerNorm(in_features) if normalize else nn.Identity()
    return nn.Sequential(norm, Linear(in_features, dim, RELU_GAIN), nn.GELU())
