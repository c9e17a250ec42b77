"""Who decides for the enemies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from stmg_envs.arguments import shown
from stmg_envs.combat.team import Team
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import State

Commander = Callable[[Tensor, Tensor], Tensor]
"""Plays the enemies: from their observations (B, m, obs_size) and masks (B, m, actions), as they would have
them as agents, to their actions, int64 (B, m)."""
Opponent = Literal["scripted", "idle", "agents"] | Commander
"""StarCraft's rules, nobody, other agents, or a function."""

OPPONENTS = ("scripted", "idle", "agents")
"""Those that have names."""


def require_opponent(opponent: object) -> None:
    """Check an argument.

    Raises:
        InvalidArgumentError: if it is neither a name nor a function.
    """
    known = isinstance(opponent, str) and opponent in OPPONENTS
    if not callable(opponent) and not known:
        raise InvalidArgumentError(
            f"opponent={shown(opponent)} is unknown; expected one of {list(OPPONENTS)} or a function"
        )


def commanded(commander: Commander, enemies: Team, state: State) -> Tensor:
    """What a function has the enemies do, int64 (B, m): a stop in the place of what is not allowed.

    Raises:
        InvalidArgumentError: if it gives anything but an action for each of them.
    """
    mask = enemies.mask(state)
    commands = commander(enemies.observe(state, mask), mask)
    expected, width = tuple(mask.shape[:2]), mask.shape[2]
    if tuple(commands.shape) != expected or bool(((commands < 0) | (commands >= width)).any()):
        raise InvalidArgumentError(
            f"opponent gave {commands}; expected integers in 0..{width - 1} of shape {expected}"
        )
    return enemies.allowed(state, mask, commands)
