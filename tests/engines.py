"""Games that only an engine computes: where it is missing their tests are skipped.

In CI they are skipped only where the engine runs on no machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

import stmg_envs
from stmg_envs.errors import MissingEngineError

ENGINE_IDS = [id for id in stmg_envs.list_envs() if "native" not in stmg_envs.game_spec(id).backends]

NOWHERE = {"stmg/SMAC-v0": "StarCraft II runs on no machine of ours; tests/starcraft has a game in its place"}
"""Why the tests of some games are skipped everywhere."""


def missing(id: str) -> str | None:
    """What to say of an engine whose tests are to be skipped, or None."""
    try:
        stmg_envs.game_spec(id).load()
    except MissingEngineError as error:
        return NOWHERE.get(id) if os.environ.get("CI") == "true" else str(error)
    return None


def with_engines(ids: Iterable[str]) -> list[Any]:
    """Parameters of a test, skipped where an engine is missing."""
    reasons = {id: missing(id) for id in ids}
    return [
        pytest.param(id, marks=[] if reason is None else pytest.mark.skip(reason=reason))
        for id, reason in reasons.items()
    ]
