"""Counter-based random streams: every number is a pure function of a key and a position.

One stream per environment (or per training run) makes randomness independent of the batch it
runs in: slot b of a batch draws what a single environment with the same seed draws, on any
device, and a checkpoint needs no generator state. The mixing function is the finaliser of
SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MULTIPLIER_2 = 0x94D049BB133111EB - (1 << 64)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift; torch's own shift of int64 keeps the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift_right(x, 30)) * _MULTIPLIER_1
    x = (x ^ _shift_right(x, 27)) * _MULTIPLIER_2
    return x ^ _shift_right(x, 31)


class Streams:
    """B independent random streams.

    Args:
        keys: int64, shape (B,). Equal keys give equal streams.
        path: values to fold into them; see `fold`.
    """

    def __init__(self, keys: Tensor, path: Sequence[int | Tensor] = ()) -> None:
        self._start, self._path = keys, path
        self._drawn = 0

    @functools.cached_property
    def keys(self) -> Tensor:
        """int64, shape (B,). They are mixed when first needed: many a game draws nothing in a step."""
        keys = self._start
        for value in self._path:
            keys = _mix((keys ^ value) * _MULTIPLIER_1 + _GOLDEN)
        return keys

    @classmethod
    def from_seeds(cls, seeds: Sequence[int] | Tensor, device: str | torch.device = "cpu") -> Streams:
        """One stream per seed, shape (B,)."""
        tensor = torch.as_tensor(seeds, dtype=torch.int64, device=device)
        return cls(_mix(tensor + _GOLDEN))

    def fold(self, *values: int | Tensor) -> Streams:
        """Streams of the same batch, one for each path of values (episode, step, purpose, ...).

        Args:
            values: integers, or int64 tensors of shape (B,).
        """
        return Streams(self.keys, values)

    def split(self, parts: int) -> Streams:
        """B * parts streams; those of stream b stand at b * parts, ..., (b + 1) * parts - 1."""
        index = torch.arange(parts, device=self.keys.device)
        keys = _mix((self.keys[:, None] ^ index) * _MULTIPLIER_2 + _GOLDEN)
        return Streams(keys.flatten())

    def bits(self, *shape: int) -> Tensor:
        """64 random bits each, int64, shape (B, *shape). Advances every stream equally."""
        count = math.prod(shape)
        index = torch.arange(
            self._drawn + 1, self._drawn + count + 1, device=self.keys.device, dtype=torch.int64
        )
        self._drawn += count
        return _mix(self.keys[:, None] + index * _GOLDEN).view(-1, *shape)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Uniform on the open interval (0, 1), shape (B, *shape)."""
        return self.to_uniform(self.bits(*shape), dtype)

    @staticmethod
    def to_uniform(bits: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Random bits as numbers on the open interval (0, 1): what `uniform` makes of those it draws."""
        digits = 52 if dtype == torch.float64 else 23
        return (_shift_right(bits, 64 - digits).to(dtype) + 0.5) * 2.0**-digits

    def normal(self, *shape: int) -> Tensor:
        """Standard normal float32, shape (B, *shape)."""
        return torch.special.ndtri(self.uniform(*shape, dtype=torch.float64)).float()

    def gumbel(self, *shape: int) -> Tensor:
        """Standard Gumbel float32, shape (B, *shape): the arg max of logits + gumbel is a sample."""
        return -torch.log(-torch.log(self.uniform(*shape)))

    def permutation(self, size: int) -> Tensor:
        """A random permutation of 0, ..., size - 1 per stream, int64, shape (B, size)."""
        return self.bits(size).argsort(dim=-1)
