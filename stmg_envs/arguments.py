"""Checks of arguments that games share: each raises one clear error that names the value."""

from __future__ import annotations

import math
from collections.abc import Collection

from stmg_envs.errors import InvalidArgumentError


def require_number(name: str, value: object) -> None:
    """Raise InvalidArgumentError unless the argument is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidArgumentError(f"{name}={value!r} is no finite number; expected one, for instance 1.0")


def require_positive(**values: object) -> None:
    """Raise InvalidArgumentError unless all arguments are positive finite numbers."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise InvalidArgumentError(
                f"{name}={value!r} is out of range; expected a number above 0, for instance 1.0"
            )


def require_count(name: str, value: object, low: int, high: int | None = None) -> None:
    """Raise InvalidArgumentError unless the argument is an integer of at least `low` and at most `high`."""
    valid = isinstance(value, int) and not isinstance(value, bool)
    if not valid or not isinstance(value, int) or value < low or (high is not None and value > high):
        expected = f">= {low}" if high is None else f"in {low}..{high}"
        raise InvalidArgumentError(f"{name}={value!r} is no count; expected an integer {expected}")


def require_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise InvalidArgumentError unless the argument is one of the choices, of the same type."""
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        raise InvalidArgumentError(f"{name}={value!r} is unknown; expected one of {list(choices)}")


def require_flag(name: str, value: object) -> None:
    """Raise InvalidArgumentError unless the argument is True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name}={value!r} is no flag; expected True or False")


def require_no_workers(id: str, workers: object) -> None:
    """Raise InvalidArgumentError if workers are asked for where a native game is computed at once."""
    require_count("workers", workers, 0)
    if workers:
        raise InvalidArgumentError(
            f"workers={workers} of {id}: a native game is computed at once, without workers; expected 0, "
            f"or the backend of an engine"
        )
