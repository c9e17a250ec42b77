"""Who plays and with which spaces: what a learner must know of a game before it plays it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray


class JointSpaces:
    """Agents and spaces of a game, native or of an engine.

    Attributes:
        agents: agent names, shape (n,).
        action_spaces: one space per agent, all Discrete or all Box of one dimension.
        observation_space: the Box of one agent's own observation, the same for all.
        state_space: the Box of the global state, or None.
        fully_observed: whether every agent's own observation is the whole state, the same for all.
        default_priority: agent names in order of decision.
        sides: who plays against whom, agent indices by the name of a side; empty where all play together.
    """

    agents: tuple[str, ...]
    action_spaces: tuple[Discrete, ...] | tuple[Box, ...]
    observation_space: Box
    state_space: Box | None = None
    fully_observed: bool = False
    sides: Mapping[str, tuple[int, ...]] = MappingProxyType({})

    @property
    def n(self) -> int:
        """The number of agents."""
        return len(self.agents)

    @property
    def default_priority(self) -> tuple[str, ...]:
        return self.agents

    @property
    def discrete(self) -> bool:
        """Whether actions are discrete."""
        return isinstance(self.action_spaces[0], Discrete)

    @property
    def action_width(self) -> int:
        """Numbers that describe one action: A (one-hot) if discrete, else the action dimension."""
        return max(
            int(space.n) if isinstance(space, Discrete) else space.shape[0] for space in self.action_spaces
        )

    @property
    def action_counts(self) -> tuple[int, ...]:
        """Number of actions of each agent (discrete games)."""
        return tuple(int(space.n) for space in self.action_spaces if isinstance(space, Discrete))

    def optimal_returns(self, priority: tuple[int, ...]) -> NDArray[np.float64] | None:
        """Undiscounted returns per agent of the known optima, (m, n), or None if none is known.

        Args:
            priority: agent indices, leader first (the Stackelberg optimum depends on it).
        """
        return None

    def return_scale(self) -> NDArray[np.float64] | float:
        """The scale on which returns equal known optima: the most absolute reward an agent adds up, (n,)."""
        return 0.0
