"""What a game says of itself in words, for players that read."""

from __future__ import annotations

import inspect
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from stmg_envs.protocol.game import State
from stmg_envs.protocol.spaces import JointSpaces

Ask = Literal["rule", "all", "none"]
"""Which agents are asked about a plan: those whose parts are doubtful, all, or none."""


@dataclass(frozen=True)
class Complaint:
    """What is wrong with parts of a joint action.

    Attributes:
        agents: indices of the agents whose parts they are.
        reason: in a sentence.
    """

    agents: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Doubt:
    """What speaks against an agent's part of a joint action, though it is legal.

    Attributes:
        reason: in a sentence.
        certain: whether the rules alone settle it, so that nobody need be asked.
    """

    reason: str
    certain: bool = False


class GameText(ABC):
    """A game in words.

    All methods are about the first episode of a batch, and take the state that the game's own methods take.

    Attributes:
        rules: what is played, for what, by whom, and what words stand for what.
        agents: what agents are called, (n,).
        idle: the action of an agent that is told nothing, or None where all must be told.
        ask: who is asked about a plan unless somebody says otherwise.
        rounds: how often a plan is asked about unless somebody says otherwise.
    """

    rules: str
    agents: tuple[str, ...]
    idle: int | None = None
    ask: Ask = "all"
    rounds: int = 1

    @abstractmethod
    def scene(self, state: State) -> str:
        """All that is to be seen now."""

    @abstractmethod
    def view(self, state: State, agent: int) -> str:
        """What one agent sees now."""

    @abstractmethod
    def actions(self, agent: int) -> Sequence[str]:
        """What its actions are called, one name for each."""

    def complaints(self, state: State, actions: Sequence[int | None]) -> list[Complaint]:
        """Where legal actions do not go together.

        Args:
            state: the state before them.
            actions: of each agent, (n,); None where it has not decided.
        """
        return []

    def doubts(self, state: State, actions: Sequence[int]) -> dict[int, Doubt]:
        """Agents whose parts of a joint action (n,) seem to lead nowhere."""
        return {}


class NumbersText(GameText):
    """Any game with discrete actions: its docstring, and numbers.

    Args:
        game: its agents and spaces; the state of its text is what agents see, the observations of a batch.
    """

    def __init__(self, game: JointSpaces) -> None:
        page = inspect.cleandoc(type(game).__doc__ or "")
        self.rules = re.split(r"\n(?:Args|Raises|\*\*Version history)", page)[0].strip()
        self.agents = game.agents
        self._names = [[str(action) for action in range(count)] for count in game.action_counts]

    def scene(self, state: State) -> str:
        if "state" in state:
            return f"state: {_numbers(state['state'][0])}"
        return "\n".join(self.view(state, agent) for agent in range(len(self.agents)))

    def view(self, state: State, agent: int) -> str:
        return f"{self.agents[agent]} sees {_numbers(state['observation'][0, agent])}"

    def actions(self, agent: int) -> Sequence[str]:
        return self._names[agent]


def _numbers(values: Tensor) -> str:
    return json.dumps([float(f"{value:.4g}") for value in values.tolist()])
