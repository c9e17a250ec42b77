"""Which joints a body has, how they hang together, and which agent moves which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Part = tuple[str, ...]
"""The joints of one agent, in the order of its action."""


@dataclass(frozen=True)
class Limbs:
    """The joints of a body as a graph, and its factorisations.

    Attributes:
        joints: names in the model, in the order in which agents see them.
        links: joints that are next to each other; all of one link are so in pairs.
        factorisations: the agents' parts, by configuration.
        ties: joints whose agents are neighbours without seeing each other's.
    """

    joints: tuple[str, ...]
    links: tuple[tuple[str, ...], ...]
    factorisations: Mapping[str, tuple[Part, ...]]
    ties: tuple[tuple[str, ...], ...] = field(default=())

    def within(self, part: Collection[str], hops: int) -> list[tuple[str, ...]]:
        """Joints at distance 0, 1, ..., `hops` from a part of the body."""
        seen = frontier = frozenset(part)
        rings = [self._ordered(frontier)]
        for _ in range(hops):
            frontier = frozenset(
                joint for link in self.links if frontier.intersection(link) for joint in link
            ).difference(seen)
            seen |= frontier
            rings.append(self._ordered(frontier))
        return rings

    def neighbors(self, parts: Sequence[Part]) -> NDArray[np.bool_]:
        """Agents that have joints within one hop of each other, bool (n, n)."""
        adjacent = np.zeros((len(parts), len(parts)), dtype=bool)
        for link in (*self.links, *self.ties):
            holders = [index for index, part in enumerate(parts) if set(part).intersection(link)]
            adjacent[np.ix_(holders, holders)] = True
        np.fill_diagonal(adjacent, False)
        return adjacent

    def _ordered(self, joints: Collection[str]) -> tuple[str, ...]:
        return tuple(joint for joint in self.joints if joint in joints)
