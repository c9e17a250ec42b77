"""When payoffs count as equal: one notion for solvers, marks in pictures, and optima that play reaches.

Payoffs are sums of rounded numbers: 0.1 + 0.2 is worth 0.3, and 0.1 + 0.2 - 0.3 is worth nothing. So two of
them are equal if they differ by no more than a resolution times the agent's scale, which bounds the absolute
numbers that were added up. A scale grows with the payoffs: multiplying all by a constant changes no solution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SOLVED = 1e-13
"""Resolution of sums in double precision: some hundred roundings."""
PLAYED = 1e-6
"""Resolution of returns that were played: rewards are single precision."""


def payoff_scale(payoffs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest absolute payoff of each agent, (n,), of payoffs (n, ...)."""
    scale: NDArray[np.float64] = np.abs(payoffs).reshape(len(payoffs), -1).max(axis=1)
    return scale


def largest(values: NDArray[np.float64], scale: ArrayLike, axis: int | None = None) -> NDArray[np.bool_]:
    """Which values equal the largest one along an axis, or of all; values of one scale."""
    best: NDArray[np.bool_] = values >= values.max(axis=axis, keepdims=True) - SOLVED * np.asarray(scale)
    return best


def same_returns(
    returns: NDArray[np.float64], target: NDArray[np.float64], scale: ArrayLike = 0.0
) -> NDArray[np.bool_]:
    """Whether every agent's played return equals its target, (...) of returns and targets (..., n).

    Args:
        returns: undiscounted returns of play.
        target: what they are compared with.
        scale: the most absolute reward that each agent adds up, (n,) or one number; at least the target.
    """
    tolerance = PLAYED * np.maximum(scale, np.abs(target))
    return np.all(np.abs(returns - target) <= tolerance, axis=-1, keepdims=True)[..., 0]
