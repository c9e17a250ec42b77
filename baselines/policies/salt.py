"""What makes the episodes of an evaluation ones that nobody foresees, and lets them be played again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from torch import Tensor, int64, tensor

from baselines.errors import ConfigError

DIGITS = 32


@dataclass(frozen=True)
class Salt:
    """A random number that the episodes are made with, secret until they have been played.

    A policy that has seen some episodes knows nothing of the others, for each comes from a hash of its own;
    the seeds that policies are told are made without the salt.

    Attributes:
        digits: 32 hexadecimal ones.
        drawn: whether it was drawn for this evaluation; one that is given may be known to policies.

    Raises:
        ConfigError: if it is no such number.
    """

    digits: str
    drawn: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", self.digits):
            raise ConfigError(
                f"salt={self.digits!r} is not accepted; expected {DIGITS} digits of 0-9 and a-f, the salt in "
                f"the manifest.json of an earlier evaluation (leave it out to draw one)"
            )

    @classmethod
    def draw(cls) -> Salt:
        """A new one."""
        return cls(secrets.token_hex(DIGITS // 2), drawn=True)

    def keys(self, seeds: Sequence[int], episodes: int) -> Tensor:
        """Seeds of the environments for each episode of each run, int64 (K, E)."""
        keys = [[self._key(seed, episode) for episode in range(episodes)] for seed in seeds]
        return tensor(keys, dtype=int64)

    def _key(self, seed: int, episode: int) -> int:
        place = f"{seed} {episode}".encode()
        digest = blake2b(place, digest_size=8, key=bytes.fromhex(self.digits)).digest()
        return int.from_bytes(digest, "big", signed=True)

    def published(self) -> dict[str, Any]:
        """What provenance says of it, once nobody plays any more."""
        return {"salt": self.digits, "salt_drawn": self.drawn}
