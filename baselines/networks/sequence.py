"""What can stand in place of STEER's two blocks: the parts of its ablations (STEER paper, section 6.3)."""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from baselines.networks.attention import Block, CausalStack
from baselines.networks.layers import GRULayer, Linear, mlp


class SequenceModel(Protocol):
    """A causal model over tokens (B, tokens, dim), whole or token by token."""

    def __call__(self, x: Tensor) -> Tensor: ...

    def empty_caches(self, tokens: int) -> list[Any]:
        """What `step` carries along, before the first of so many tokens."""

    def step(self, x: Tensor, caches: list[Any]) -> Tensor:
        """The same for one new token (B, dim)."""


class TokenMLP(nn.Module):
    """In place of the inner block: the same MLP for every token, none of which sees another."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.mlp = mlp(dim, dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.norm(x))


class GRUStack(nn.Module):
    """In place of the outer block: a recurrent network over s^0 and the superiors' actions.

    Args:
        dim: embedding size.
        layers: number of layers; the authors' ablation has two.
    """

    def __init__(self, dim: int, layers: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(GRULayer(dim) for _ in range(layers))
        # Nothing but this product carries the superiors' actions on: it must not start small, as those that
        # are added to what skips them may.
        self.out = Linear(dim, dim, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        caches = self.empty_caches(x.shape[1])
        return torch.stack([self.step(token, caches) for token in x.unbind(dim=1)], dim=1)

    def empty_caches(self, tokens: int) -> list[Tensor | None]:
        """No hidden state for any layer."""
        return [None for _ in self.layers]

    def step(self, x: Tensor, caches: list[Tensor | None]) -> Tensor:
        """One token (B, dim); the hidden states in `caches` move on."""
        for depth, layer in enumerate(self.layers):
            hidden = caches[depth]
            x = layer(x, torch.zeros_like(x) if hidden is None else hidden)
            caches[depth] = x
        return self.out(x)


class NoSequence(nn.Module):
    """In place of the outer block: nothing, so that nobody sees the superiors' actions."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def empty_caches(self, tokens: int) -> list[None]:
        """Nothing to carry along."""
        return []

    def step(self, x: Tensor, caches: list[None]) -> Tensor:
        """Zeros."""
        return torch.zeros_like(x)


def inner_part(kind: str, dim: int, blocks: int, heads: int) -> nn.Module:
    """What processes states: "attention" (the ITB), "mlp", or "none"."""
    if kind == "attention":
        return nn.Sequential(*(Block(dim, heads, causal=False) for _ in range(blocks)))
    return TokenMLP(dim) if kind == "mlp" else nn.Identity()


def outer_part(kind: str, dim: int, blocks: int, heads: int) -> SequenceModel:
    """What processes superiors' actions: "attention" (the OTB), "gru", or "none"."""
    if kind == "attention":
        return CausalStack(dim, heads, blocks)
    return cast(SequenceModel, GRUStack(dim) if kind == "gru" else NoSequence())
