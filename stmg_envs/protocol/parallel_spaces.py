"""The spaces of a PettingZoo parallel environment as learners take them: boxes and discrete actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, flatdim
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.spaces import JointSpaces
from stmg_envs.protocol.told import MASK, all_agents, mask_of, masked, numbers_of, own_space


class ParallelSpaces(JointSpaces):
    """Spaces of a parallel environment, flattened; shorter observations are filled up with zeros.

    Continuous actions are numbers in [-1, 1] that are scaled to the environment's bounds. An observation
    that is a dict with `observation` and `action_mask`, as PettingZoo has it, gives both; a mask may also be
    in the info.

    Args:
        env: the environment.

    Raises:
        InvalidArgumentError: if nobody plays, action spaces are neither all Discrete nor all bounded boxes,
            or observations are not a fixed number of numbers.
    """

    def __init__(self, env: ParallelEnv[str, Any, Any]) -> None:
        self.agents = all_agents(env)
        self._priority = tuple(getattr(env, "priority", self.agents))
        self.own_spaces = tuple(_own(env.observation_space(agent)) for agent in self.agents)
        width = max(flatdim(space) for space in self.own_spaces)
        if not width:
            raise InvalidArgumentError(f"observation spaces of {env} hold no numbers; expected at least one")
        self.observation_space = Box(-np.inf, np.inf, (width,), np.float32)
        state_space = getattr(env, "state_space", None)
        if isinstance(state_space, Box):
            self.state_space = Box(-np.inf, np.inf, (flatdim(state_space),), np.float32)
        self.fully_observed = len(self.agents) == 1
        self.engine_actions = tuple(env.action_space(agent) for agent in self.agents)
        self.action_spaces = _action_spaces(self.engine_actions)

    @property
    def default_priority(self) -> tuple[str, ...]:
        return self._priority

    def own(self, agent: int, observation: Any) -> NDArray[np.float32]:
        """What an agent sees, float32 (obs_dim,)."""
        row = np.zeros(self.observation_space.shape, np.float32)
        values = numbers_of(self.own_spaces[agent], self.agents[agent], observation)
        row[: len(values)] = values
        return row

    def legal(self, agent: int, observation: Any, info: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Legal actions of an agent, bool (A,)."""
        row = np.arange(self.action_width) < self.action_counts[agent]
        for source in (observation, info):
            if masked(source):
                count = self.action_counts[agent]
                row[:count] &= mask_of(self.agents[agent], source[MASK], count)
        return row

    def engine_action(self, agent: int, action: NDArray[Any]) -> Any:
        """An action as the environment takes it."""
        space = self.engine_actions[agent]
        if isinstance(space, Discrete):
            return int(space.start) + int(action)
        assert isinstance(space, Box)
        # In float64, for high - low overflows in many a space's own type.
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        share = (np.clip(action[: flatdim(space)], -1, 1).astype(np.float64).reshape(space.shape) + 1) / 2
        scaled = low + share * (high - low)
        whole = np.issubdtype(space.dtype, np.integer)
        taken: NDArray[Any] = (np.rint(scaled) if whole else scaled).astype(space.dtype)
        return taken


def require_numbers(space: Space[Any]) -> None:
    """Raise InvalidArgumentError unless Gymnasium flattens observations to a row of numbers of one length."""
    if not isinstance(space, Space) or not space.is_np_flattenable:
        raise InvalidArgumentError(
            f"the observation space {space} is not supported; expected one that Gymnasium flattens to a row "
            f"of numbers, such as Box, Discrete, or a Dict of them; wrap the environment"
        )


def _own(space: Space[Any]) -> Space[Any]:
    """The part of an observation space that is observed."""
    own = own_space(space)
    require_numbers(own)
    return own


def _action_spaces(spaces: tuple[Space[Any], ...]) -> tuple[Discrete, ...] | tuple[Box, ...]:
    counts = tuple(Discrete(space.n) for space in spaces if isinstance(space, Discrete))
    boxes = tuple(
        Box(-1, 1, (flatdim(space),), np.float32)
        for space in spaces
        if isinstance(space, Box) and space.is_bounded()
    )
    for found in (counts, boxes):
        if len(found) == len(spaces):
            return found
    raise InvalidArgumentError(
        f"action spaces {spaces} are not supported; expected Discrete for all agents, or bounded Box for all"
    )
