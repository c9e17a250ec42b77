"""What somebody's policy has to be: one method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

TurnObservation = Mapping[str, NDArray[Any]]
"""What the agent sees whose turn it is; with a leading axis E, what it sees in each of E episodes.

| Key              | Shape             | Meaning                                                           |
|------------------|-------------------|---------------------------------------------------------------------|
| `observation`    | (obs_dim,)        | own observation                                                   |
| `state`          | (state_dim,)      | only if the game has a global state                               |
| `leader_actions` | (n, action_width) | row k: action of rank k (one-hot if discrete), or zeros  |
| `rank`           | ()                | own rank, 0 decides first                                         |
| `agent`          | ()                | own index                                                         |
| `action_mask`    | (A,)              | int8, 1 for legal actions; discrete actions only                  |
"""

Action = int | np.integer[Any] | NDArray[Any]
"""A legal integer, or as many finite numbers as the longest action of the game has."""


class Policy(Protocol):
    """Decides for the agent whose turn it is, every agent of the game in its turn.

    The class is called without arguments, or with those of `--policy-arg`. It need not inherit from this
    one. A method `reset(seed)` is called before every episode if there is one, with an integer from which
    a policy that draws numbers can draw the same ones again.
    """

    def act(self, observation: TurnObservation) -> Action:
        """The action of the agent whose turn it is."""
        ...


class BatchPolicy(Protocol):
    """Decides for the agents whose turn it is in E episodes at once, which is much faster.

    Row e belongs to the same episode from its first timestep to its last. Rows of episodes that have ended,
    and of agents that are out of the game, stay; their actions are ignored. `reset(seed)` is called before
    every batch of episodes if there is such a method. Of a class that also has `act`, `act_batch` is used.
    """

    def act_batch(self, observations: TurnObservation) -> NDArray[Any]:
        """Actions, integers (E,) or floats (E, action_dim)."""
        ...
