"""What can go wrong with workers beyond what environments raise."""

from __future__ import annotations

from stmg_envs.errors import STMGError


class WorkerError(STMGError, RuntimeError):
    """Worker processes cannot be started, or are lost again and again."""
