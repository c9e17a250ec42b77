"""Self-attention blocks, whole sequences at once or one token at a time with cached keys and values."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from baselines.networks.layers import OUTPUT_GAIN, Linear, flat_linear, mlp


class Cache:
    """Keys and values of the tokens seen so far, in one buffer for the whole sequence.

    Args:
        capacity: tokens of a whole sequence.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tokens = 0
        self._buffer: Tensor | None = None

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add a token, (B, heads, 1, d) each, and return all keys and values, (B, heads, tokens, d)."""
        pair = torch.cat([key, value], dim=-1)
        if self._buffer is None:
            # Made from the token itself, so that it is mapped over a population like the token is.
            self._buffer = torch.empty_like(pair.expand(*pair.shape[:-2], self.capacity, -1).contiguous())
        self._buffer[..., self.tokens : self.tokens + 1, :] = pair
        self.tokens += 1
        keys, values = self._buffer[..., : self.tokens, :].chunk(2, dim=-1)
        return keys, values


def attend(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> Tensor:
    """Scaled dot-product attention over (B, heads, tokens, d).

    Args:
        query: queries.
        key: keys.
        value: values.
        causal: whether token i sees only tokens up to i.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    if causal:
        tokens = scores.shape[-1]
        hidden = torch.ones(tokens, tokens, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, -torch.inf)
    return scores.softmax(dim=-1) @ value


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, tokens, dim) to (B, heads, tokens, dim / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, tokens, d) to (B, tokens, heads * d)."""
    return x.transpose(-3, -2).flatten(-2)


class SelfAttention(nn.Module):
    """Multi-head self-attention over (B, tokens, dim).

    Args:
        dim: embedding size.
        heads: number of heads; divides dim.
        causal: whether a token sees only itself and earlier ones.
    """

    def __init__(self, dim: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        # One product for queries, keys and values; each third is orthogonal by itself.
        self.query_key_value = Linear(dim, 3 * dim, OUTPUT_GAIN)
        with torch.no_grad():
            for third in self.query_key_value.weight.chunk(3):
                nn.init.orthogonal_(third, gain=OUTPUT_GAIN)
        self.out = Linear(dim, dim, OUTPUT_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        # Separate products over whole sequences: gradients of thirds of one product would be
        # copied together first. Over single tokens one product is faster.
        weights, biases = self.query_key_value.weight.chunk(3), self.query_key_value.bias.chunk(3)
        query, key, value = (
            split_heads(flat_linear(x, *part), self.heads) for part in zip(weights, biases, strict=True)
        )
        return self.out(merge_heads(attend(query, key, value, self.causal)))

    def step(self, x: Tensor, cache: Cache) -> Tensor:
        """Attend from one new token (B, 1, dim) to the cached ones and itself."""
        query, key, value = (
            split_heads(part, self.heads) for part in self.query_key_value(x).chunk(3, dim=-1)
        )
        return self.out(merge_heads(attend(query, *cache.append(key, value), causal=False)))


class Block(nn.Module):
    """Pre-norm transformer block with an MLP of ratio 1.

    Args:
        dim: embedding size.
        heads: number of heads.
        causal: whether a token sees only itself and earlier ones.
    """

    def __init__(self, dim: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, causal)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = mlp(dim, dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))

    def step(self, x: Tensor, cache: Cache) -> Tensor:
        """The same for one new token (B, 1, dim) after the cached ones (causal blocks)."""
        x = x + self.attention.step(self.attention_norm(x), cache)
        return x + self.mlp(self.mlp_norm(x))


class CausalStack(nn.Module):
    """Causal blocks one after another.

    Args:
        dim: embedding size.
        heads: number of heads.
        blocks: number of blocks.
    """

    def __init__(self, dim: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(dim, heads, causal=True) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)

    def empty_caches(self, tokens: int) -> list[Cache]:
        """One cache per block for a sequence of so many tokens."""
        return [Cache(tokens) for _ in self.blocks]

    def step(self, x: Tensor, caches: list[Cache]) -> Tensor:
        """The same for one new token (B, 1, dim) after the cached ones."""
        for block, cache in zip(self.blocks, caches, strict=True):
            x = cast(Block, block).step(x, cache)
        return x
