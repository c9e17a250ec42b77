"""The typed errors of the suite: each names the value, what was expected, and a fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not known: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {names}"


class STMGError(Exception):
    """Base of every error this project raises on purpose."""


class InvalidArgumentError(STMGError, ValueError):
    """A constructor or function argument has the wrong type, shape or range."""


class UnknownNameError(STMGError, KeyError):
    """A name (environment id, algorithm, preset, payoff table) is not registered."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which hides line breaks and adds quotes.
        return str(self.args[0]) if self.args else ""


class NoStateError(InvalidArgumentError, NotImplementedError):
    """A game without a global state is asked for it; PettingZoo's clients expect NotImplementedError."""


class InvalidPriorityError(InvalidArgumentError):
    """A priority is not a permutation of the agents."""


class InvalidActionError(InvalidArgumentError):
    """An action is out of range, of the wrong shape, or not a number."""


class NoLegalActionError(InvalidActionError):
    """An agent that is to decide has no action that it may take."""


class NotFiniteError(STMGError, ValueError):
    """A number that others are computed from is NaN or infinite."""


class EndlessEpisodeError(STMGError):
    """An episode does not end, and nothing cuts it off."""


class MissingEngineError(STMGError, ImportError):
    """A game needs an external engine that is not installed."""


class EngineError(STMGError, RuntimeError):
    """An engine breaks down again and again."""


class PluginError(STMGError, ImportError):
    """An installed package does not give the game, algorithm or suite that it offers."""


class PluginWarning(UserWarning):
    """Something that an installed package offers is left out."""
