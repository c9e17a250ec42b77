"""Arguments that name a place of the file system."""

from __future__ import annotations

from pathlib import Path

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError


def require_path(name: str, value: object) -> Path:
    """A path that is given as one, or as text.

    Raises:
        InvalidArgumentError: if it is neither.
    """
    if not isinstance(value, str | Path):
        raise InvalidArgumentError(f"{name}={shown(value)} is no path; expected for instance 'runs/penalty'")
    return Path(value)
