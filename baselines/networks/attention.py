"""Self-attention blocks, whole sequences at once or one token at a time with cached keys and values."""

from __future__ import annotations

import warnings
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.networks.layers import OUTPUT_GAIN, Linear, flat_linear, mlp

# Torch has no rule that maps attention over runs on a CPU: it takes run by run, which costs nothing where
# sequences are long.
warnings.filterwarnings("ignore", "There is a performance drop.*scaled_dot_product", UserWarning)


class Cache:
    """Keys and values of the tokens seen so far, in buffers for the whole sequence.

    Args:
        capacity: tokens of a whole sequence.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tokens = 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Add a token, and attend from it to all of them and itself; each (B, d), one head a row."""
        if self._keys is None or self._values is None:
            # Made from the token itself, so that they are mapped over a population like the token is.
            self._keys, self._values = (x.new_empty(len(x), self.capacity, x.shape[-1]) for x in (key, value))
        self._keys[:, self.tokens] = key
        self._values[:, self.tokens] = value
        self.tokens += 1
        keys, values = self._keys[:, : self.tokens], self._values[:, : self.tokens]
        scores = torch.bmm((query * query.shape[-1] ** -0.5).unsqueeze(1), keys.transpose(1, 2))
        return torch.bmm(scores.softmax(dim=-1), values).squeeze(1)


def attend(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> Tensor:
    """Scaled dot-product attention over (B, heads, tokens, d).

    Scores of all pairs of tokens are held if they are no larger than the tokens.

    Args:
        query: queries.
        key: keys.
        value: values.
        causal: whether token i sees only tokens up to i.
    """
    tokens, size = query.shape[-2:]
    if tokens > size:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
    scores = (query * size**-0.5) @ key.transpose(-2, -1)
    if causal:
        hidden = torch.ones(tokens, tokens, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, -torch.inf)
    return scores.softmax(dim=-1) @ value


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, tokens, dim) to (B, heads, tokens, dim / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def head_rows(x: Tensor, heads: int) -> Tensor:
    """(B, dim) to (B * heads, dim / heads)."""
    return x.reshape(len(x) * heads, -1)


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
        """Attend from one new token (B, dim) to the cached ones and itself."""
        parts = self.query_key_value(x).chunk(3, dim=-1)
        attended = cache.attend(*(head_rows(part, self.heads) for part in parts))
        return self.out(attended.view(x.shape))


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
        """The same for one new token (B, dim) after the cached ones (causal blocks)."""
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
        """The same for one new token (B, dim) after the cached ones."""
        for block, cache in zip(self.blocks, caches, strict=True):
            x = cast(Block, block).step(x, cache)
        return x
