"""SMACv2's wrapper (oxwhirl/smacv2, 577ab5a) with a scripted game in the place of StarCraft II.

It checks what it is asked for, and plays 5m_vs_6m.
"""

from __future__ import annotations

from typing import Any

from smac.env import StarCraft2Env

ASKED: list[dict[str, Any]] = []
"""Arguments that it was made with."""


class StarCraftCapabilityEnvWrapper(StarCraft2Env):
    """See above."""

    def __init__(self, **kwargs: Any) -> None:
        ASKED.append(kwargs)
        super().__init__("5m_vs_6m", kwargs["seed"], kwargs["continuing_episode"])
