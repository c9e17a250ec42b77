"""What an episode remembers of itself, and how much of it is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from baselines.llm.prompts import Prompts
from baselines.llm.stage import Stage

BYTES = 4
"""Of English text in UTF-8 for a token, about; tokenizers are downloads, and each model has its own."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text.encode()) / BYTES)


class Memory:
    """Past steps in words.

    Args:
        prompts: what is said.
        tokens: past steps are told while the rules and the situation with them are estimated below so many.
    """

    def __init__(self, prompts: Prompts, tokens: int) -> None:
        self._prompts, self._tokens = prompts, tokens
        self._past: list[str] = []

    def add(self, timestep: int, scene: str, actions: dict[str, str], rewards: Sequence[float]) -> None:
        """Remember a step; equal rewards of all are told once."""
        shown = [float(f"{reward:.4g}") for reward in rewards]
        told: Any = shown[0] if len(set(shown)) == 1 else shown
        self._past.insert(
            0, self._prompts.say("past", timestep=timestep, scene=scene, actions=actions, rewards=told)
        )

    def situation(self, timestep: int, stage: Stage) -> str:
        """The situation, with as many past steps as there is room for beside the rules, the latest first."""
        rules = self._prompts.say("system", rules=stage.text.rules, agents=stage.text.agents)
        idle = stage.text.idle
        said = {
            "timestep": timestep,
            "scene": stage.scene(),
            "idle": None if idle is None else stage.text.actions(0)[idle],
            "legal": {stage.text.agents[agent]: stage.names(agent) for agent in stage.choosers},
        }
        told: list[str] = []
        for step in self._past:
            longer = self._prompts.say("situation", past=[*told, step], **said)
            if estimated_tokens(rules) + estimated_tokens(longer) >= self._tokens:
                break
            told.append(step)
        return self._prompts.say("situation", past=told, **said)
