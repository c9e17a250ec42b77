"""Checks of arguments that games share: each raises one clear error that names the value."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from stmg_envs.errors import InvalidArgumentError

MOST_SHOWN = 400
"""Characters of a value that a message shows."""
MOST_THREADS = 1024
"""More than any machine has cores."""
LARGEST = 2**63
"""Whole numbers from here on fit in no tensor."""


def shown(value: object) -> str:
    """A value as a message shows it: as Python writes it, unless that is too long, or has no end."""
    try:
        text = repr(value)
    except RecursionError:
        return f"<{type(value).__name__} of too many levels>"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def require_text(name: str, value: object, example: str) -> None:
    """Raise InvalidArgumentError unless the argument is text."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name}={shown(value)} is no text; expected for instance {example!r}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number that a tensor can hold."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < (LARGEST if isinstance(value, int) else math.inf)  # type: ignore[arg-type]


def require_number(name: str, value: object) -> None:
    """Raise InvalidArgumentError unless the argument is a finite number."""
    if not is_number(value):
        raise InvalidArgumentError(
            f"{name}={shown(value)} is no finite number; expected one, for instance 1.0"
        )


def require_positive(**values: object) -> None:
    """Raise InvalidArgumentError unless all arguments are positive finite numbers."""
    for name, value in values.items():
        if not is_number(value) or value <= 0:
            raise InvalidArgumentError(
                f"{name}={shown(value)} is out of range; expected a number above 0, for instance 1.0"
            )


def require_count(name: str, value: object, low: int, high: int | None = None) -> None:
    """Raise InvalidArgumentError unless the argument is an integer of at least `low` and at most `high`."""
    if (
        not is_number(value)
        or not isinstance(value, int)
        or not low <= value <= (LARGEST if high is None else high)
    ):
        expected = f">= {low}" if high is None else f"in {low}..{high}"
        raise InvalidArgumentError(f"{name}={shown(value)} is no count; expected an integer {expected}")


def require_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise InvalidArgumentError unless the argument is one of the choices, of the same type."""
    # Types first: two arrays are not simply equal or not.
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise InvalidArgumentError(f"{name}={shown(value)} is unknown; expected one of {list(choices)}")


def require_flag(name: str, value: object) -> None:
    """Raise InvalidArgumentError unless the argument is True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name}={shown(value)} is no flag; expected True or False")


def require_table(name: str, value: object) -> Mapping[Any, Any]:
    """A mapping, or an empty one for None; raise InvalidArgumentError for anything else."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidArgumentError(
            f"{name}={shown(value)} is no mapping; expected one, such as {{}}, or None"
        )
    return value or {}


def require_no_workers(id: str, workers: object) -> None:
    """Raise InvalidArgumentError if workers are asked for where a native game is computed at once."""
    require_count("workers", workers, 0)
    if workers:
        raise InvalidArgumentError(
            f"workers={workers} of {id}: a native game is computed at once, without workers; expected 0, "
            f"or the backend of an engine"
        )
