"""Payoff tables as data. Rows are agent 0's actions, columns agent 1's; entries are (r0, r1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

Payoffs = NDArray[np.float64]


def bimatrix(entries: ArrayLike) -> Payoffs:
    """A table of (r0, r1) pairs, shape (A1, A2, 2), as payoffs (2, A1, A2)."""
    return np.moveaxis(np.asarray(entries, dtype=np.float64), -1, 0).copy()


def common(rewards: ArrayLike, n: int = 2) -> Payoffs:
    """One reward table (A1, ..., An) paid to all n agents, as payoffs (n, A1, ..., An)."""
    return np.repeat(np.asarray(rewards, dtype=np.float64)[None], n, axis=0)


def penalty(k: float) -> Payoffs:
    """The Penalty game: safe (2, 2) in the middle, k for missing each other."""
    return common(np.array([[k, 0, 10], [0, 2, 0], [8, 0, k]]))


MIXING = bimatrix(
    [
        [(0, 5), (-10, -5), (-8, 4)],
        [(-5, -10), (-5, 0), (-15, -5)],
        [(5, 0), (-10, -5), (-10, 5)],
    ]
)
PRISONERS_DILEMMA = bimatrix([[(10, 10), (0, 18)], [(18, 0), (2, 2)]])
MAINTAIN = bimatrix(
    [
        [(20, 15), (0, 0), (0, 0)],
        [(30, 0), (10, 5), (0, 0)],
        [(0, 0), (0, 0), (5, 10)],
    ]
)
ESCAPE = common([[15, 10, 0], [10, 10, 0], [0, 0, 30]])
HUNTING_STAGE = bimatrix([[(15, -5), (5, 0)], [(0, -5), (0, 0)]])
COLLECTION_STAGE = bimatrix([[(10, 5), (20, 0)], [(0, 10), (0, 0)]])


def _meeting() -> Payoffs:
    """Our own table (the published one is not available): companionship against risk.

    Gus and Henry choose among Henry's room, the classroom and the cornfield; Scooter between
    Henry's room and the cornfield. Meeting outdoors pays (7, 7, 6); meeting in Henry's room pays
    (4, 5, 4) and is a Nash equilibrium too, since whoever leaves it ends up alone with 1.
    """
    alone, classroom_pair, field_pair, room_pair = 1.0, 3.0, 4.0, 3.0
    payoffs = np.full((3, 3, 3, 2), alone)
    scooter_place = (0, 2)
    pair = (room_pair, classroom_pair, field_pair)
    for gus in range(3):
        for henry in range(3):
            for scooter in range(2):
                places = (gus, henry, scooter_place[scooter])
                for agent, place in enumerate(places):
                    if places.count(place) == 2:
                        payoffs[(agent, gus, henry, scooter)] = pair[place]
    payoffs[:, 0, 0, 0] = (4, 5, 4)
    payoffs[:, 2, 2, 1] = (7, 7, 6)
    return payoffs


MEETING = _meeting()

CLASSICS: Mapping[str, Payoffs] = MappingProxyType(
    {
        "stag_hunt": bimatrix([[(4, 4), (0, 3)], [(3, 0), (2, 2)]]),
        "chicken": bimatrix([[(0, 0), (-1, 1)], [(1, -1), (-10, -10)]]),
        "matching_pennies": bimatrix([[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]]),
        "battle_of_the_sexes": bimatrix([[(3, 2), (0, 0)], [(0, 0), (2, 3)]]),
        "climbing": common([[11, -30, 0], [-30, 7, 6], [0, 0, 5]]),
    }
)
"""Named classics for MatrixGame-v0. Climbing: Claus and Boutilier 1998."""
