"""Which agents are neighbours: those that are near each other on the pitch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.snapshot import Snapshot

NeighborMode = Literal["k_nearest", "radius"]

METRES = np.array([54.4, 83.6])
"""Metres per unit of the engine's x and y."""


def distances(snapshot: Snapshot) -> NDArray[np.float64]:
    """Between the players that agents move, metres, infinite to oneself, (n, n)."""
    place = np.array([snapshot.left[player][:2] for player in snapshot.moved]) * METRES
    away = place[:, None] - place
    between = np.hypot(away[..., 0], away[..., 1])
    np.fill_diagonal(between, np.inf)
    return between


def k_nearest(snapshot: Snapshot, k: int) -> NDArray[np.bool_]:
    """Agents of which one is among the k nearest of the other, bool (n, n)."""
    between = distances(snapshot)
    rank = between.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    near = (rank < k) & np.isfinite(between)
    return near | near.T


def within(snapshot: Snapshot, radius: float) -> NDArray[np.bool_]:
    """Agents within so many metres of each other, bool (n, n)."""
    near: NDArray[np.bool_] = distances(snapshot) <= radius
    return near
