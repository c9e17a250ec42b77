"""Games that only an engine computes: where it is missing their tests are skipped, but never in CI."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

import stmg_envs
from stmg_envs.errors import MissingEngineError

ENGINE_IDS = [id for id in stmg_envs.list_envs() if "native" not in stmg_envs.game_spec(id).backends]


def missing(id: str) -> str | None:
    """What to say of an engine whose tests are to be skipped, or None."""
    try:
        stmg_envs.game_spec(id).load()
    except MissingEngineError as error:
        return None if os.environ.get("CI") == "true" else str(error)
    return None


def with_engines(ids: Iterable[str]) -> list[Any]:
    """Parameters of a test, skipped where an engine is missing."""
    reasons = {id: missing(id) for id in ids}
    return [
        pytest.param(id, marks=[] if reason is None else pytest.mark.skip(reason=reason))
        for id, reason in reasons.items()
    ]
