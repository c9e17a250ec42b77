"""What no environment may say: a number that is not finite where one is needed, or no legal action."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmg_envs.errors import NoLegalActionError, NotFiniteError


def require_finite(what: str, values: ArrayLike) -> None:
    """Raise NotFiniteError unless all numbers are finite.

    Args:
        what: whose numbers they are, for the message: "reward of agent_0".
        values: numbers of any shape.
    """
    if not np.isfinite(values).all():
        table = np.asarray(values, np.float64)
        first = table[~np.isfinite(table)][0]
        raise NotFiniteError(
            f"{what} is {first}; expected finite numbers, the only ones to learn from; mend the environment"
        )


def require_legal_action(agent: str, mask: NDArray[Any]) -> None:
    """Raise NoLegalActionError unless an agent that is to decide has a legal action.

    Args:
        agent: its name.
        mask: its legal actions, (A,).
    """
    if not mask.any():
        raise NoLegalActionError(
            f"{agent} has no legal action: its action mask {mask.astype(int).tolist()} is empty; expected at "
            f"least one, or that an agent which cannot act leaves the game"
        )
