"""Whose code may run: what a stored file names is imported only where somebody says so."""

from __future__ import annotations

from pathlib import Path

from baselines.errors import UntrustedError
from wrappers import names_module


def require_trusted(path: Path, env_id: str, trust: bool) -> None:
    """Make sure that making an environment runs no code that a file of others chose.

    Args:
        path: the file that names it.
        env_id: environment id.
        trust: whether whoever made the file is trusted.

    Raises:
        UntrustedError: if the id names a module and nobody is trusted.
    """
    if names_module(env_id) and not trust:
        raise UntrustedError(
            f"{path} names env_id={env_id!r}: playing it imports that module, so whoever made the file "
            f"decides what runs here; expected a registered id, or say that you trust it: --trust, trust=True"
        )
