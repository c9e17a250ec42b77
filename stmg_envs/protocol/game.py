"""The game class: dynamics written once, for a batch of episodes, in torch."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.protocol.neighbors import fully_connected
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.spaces import JointSpaces

if TYPE_CHECKING:
    from stmg_envs.protocol.words import GameText

State = dict[str, Tensor]
"""The state of B episodes: named tensors, each with leading axis B."""


@dataclass(frozen=True)
class Outcome:
    """What one joint step gives.

    Attributes:
        state: the successor state.
        rewards: float32 (B, n), one reward per agent.
        terminated: bool (B,), the episode has ended by the rules of the game.
        metrics: named float32 (B,), quantities of this step beyond the reward.
    """

    state: State
    rewards: Tensor
    terminated: Tensor
    metrics: dict[str, Tensor] = field(default_factory=dict)


@functools.cache
def legal_actions(counts: tuple[int, ...], device: torch.device) -> Tensor:
    """Which actions agents with so many have, bool (n, A)."""
    width = torch.arange(max(counts), device=device)
    return width < torch.tensor(counts, device=device)[:, None]


@functools.cache
def everybody(n: int, device: torch.device) -> Tensor:
    """That all agents are in the game, bool (n,)."""
    return torch.ones(n, dtype=torch.bool, device=device)


class Game(JointSpaces, ABC):
    """A spatio-temporal sequential Markov game, batched over episodes.

    The game knows nothing of turns: a joint step is one code path, whoever decided in whatever
    order. Views (:mod:`stmg_envs.protocol`) add turns, time limits, seeds and autoreset.

    Attributes:
        max_steps: time limit in timesteps after which an episode is truncated, or None.
        metadata: name, render modes and frame rate, as in Gymnasium.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}

    max_steps: int | None = None

    @abstractmethod
    def reset(self, streams: Streams) -> State:
        """First states of B episodes; B is the number of streams."""

    @abstractmethod
    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        """One joint step.

        Args:
            state: state of B episodes.
            actions: int64 (B, n), or float32 (B, n, action_dim).
            streams: randomness of this step, B streams.
        """

    @abstractmethod
    def observe(self, state: State) -> Tensor:
        """Own observations, float32 (B, n, obs_dim)."""

    def global_state(self, state: State) -> Tensor | None:
        """Global state, float32 (B, state_dim), or None if the game has none."""
        return None

    def action_mask(self, state: State) -> Tensor | None:
        """Legal actions, bool (B, n, A); None if actions are continuous."""
        if not self.discrete:
            return None
        values = next(iter(state.values()))
        legal = legal_actions(self.action_counts, values.device)
        return legal.expand(values.shape[0], self.n, self.action_width)

    def alive(self, state: State) -> Tensor:
        """Agents still in the game, bool (B, n).

        A game ignores the actions of agents that are out, pays them nothing, and terminates when
        nobody is left.
        """
        values = next(iter(state.values()))
        return everybody(self.n, values.device).expand(values.shape[0], self.n)

    def neighbors(self, state: State) -> Tensor:
        """The neighbour graph, bool (B, n, n), symmetric, False on the diagonal."""
        values = next(iter(state.values()))
        return fully_connected(self.n, values.shape[0], values.device)

    def text(self) -> GameText | None:
        """The game in words, for players that read; None if it has none of its own.

        Then such players get its docstring and numbers, `NumbersText`.
        """
        return None

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        """A picture of the first episode of the batch, just after its last joint step.

        Args:
            state: state of B episodes.
            mode: "ansi" for text, "rgb_array" for uint8 (H, W, 3).
            priority: agent indices in order of decision; the identity by default.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rendering")
