"""View 1: PettingZoo parallel environments with a priority and a neighbour graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.arguments import require_table, shown
from stmg_envs.errors import InvalidActionError, InvalidArgumentError, NoStateError
from stmg_envs.protocol.episodes import Episodes
from stmg_envs.protocol.game import Game
from stmg_envs.protocol.neighbors import to_networkx
from stmg_envs.protocol.priority import check_priority

if TYPE_CHECKING:
    import networkx as nx

Observation = Any
ParallelStep = tuple[
    dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
]


class PriorityParallelEnv(ParallelEnv[str, Any, Any]):
    """A parallel environment that also says in which order its agents decide.

    The joint step does not depend on the priority; turn-based views read it at the start of every
    timestep. `reset(options={"priority": [...]})` sets it, and it stays until it is set again.

    What a step tells beyond rewards, its metrics, is in the info of every agent as floats.

    Attributes:
        state_space: space of `state()`, or None if there is no global state.
    """

    possible_agents: list[str]
    agents: list[str]
    state_space: Space[Any] | None = None
    render_mode: str | None = None
    _priority: tuple[str, ...]

    @property
    def priority(self) -> tuple[str, ...]:
        """Agent names, first to decide first."""
        return self._priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self._priority = check_priority(self.possible_agents, priority)

    @abstractmethod
    def neighbors(self) -> NDArray[np.bool_]:
        """The present neighbour graph, bool (n, n), symmetric, False on the diagonal."""

    def neighbor_graph(self) -> nx.Graph:
        """The present neighbour graph over agent names."""
        return to_networkx(self.possible_agents, self.neighbors())

    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    def _apply_options(self, options: dict[str, Any] | None) -> None:
        if "priority" in (given := require_table("options", options)):
            self.priority = given["priority"]


class GameParallelEnv(PriorityParallelEnv):
    """One episode of a native game as a PettingZoo parallel environment.

    `infos[agent]["action_mask"]` (int8) carries the legal actions of discrete games. Agents that are not
    alive at the start of an episode are not among its `agents`.

    Args:
        game: the game.
        render_mode: one of the game's render modes, or None.
        priority: agent names, first to decide first; the game's default by default.

    Raises:
        InvalidArgumentError: for an unknown render mode.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """

    def __init__(self, game: Game, render_mode: str | None = None, priority: object = None) -> None:
        known = isinstance(render_mode, str) and render_mode in game.metadata["render_modes"]
        if render_mode is not None and not known:
            raise InvalidArgumentError(
                f"render_mode={shown(render_mode)} is unknown; expected None or one of "
                f"{game.metadata['render_modes']}"
            )
        self.game = game
        self.render_mode = render_mode
        self.metadata = {**game.metadata, "name": type(game).__name__, "is_parallelizable": True}
        self.possible_agents = list(game.agents)
        self.agents = []
        self.observation_spaces = {
            agent: Box(game.observation_space.low, game.observation_space.high, dtype=np.float32)
            for agent in game.agents
        }
        self.action_spaces = dict(zip(game.agents, game.action_spaces, strict=True))
        self.state_space = game.state_space
        self._episodes = Episodes(game, 1)
        self.priority = game.default_priority if priority is None else priority

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        self._apply_options(options)
        self._episodes.reset(seed)
        alive = self.game.alive(self._episodes.state)[0].tolist()
        self.agents = [agent for agent, plays in zip(self.possible_agents, alive, strict=True) if plays]
        return self._observations(), self._infos()

    def step(self, actions: dict[str, Any]) -> ParallelStep:
        self._episodes.require_start()
        if not self.agents:
            return {}, {}, {}, {}, {}
        joint = self._joint_action(actions)
        transition = self._episodes.step(joint)
        acted = self.agents
        rewards = transition.rewards[0].tolist()
        terminated, truncated = transition.terminations[0].tolist(), transition.truncations[0].tolist()
        observations, infos = self._observations(), self._infos()
        metrics = {name: float(value[0]) for name, value in transition.metrics.items()}
        for agent in acted:
            infos[agent].update(metrics)
        index = {agent: i for i, agent in enumerate(self.possible_agents)}
        terminations = {agent: terminated[index[agent]] for agent in acted}
        truncations = {agent: truncated[index[agent]] for agent in acted}
        self.agents = [agent for agent in acted if not (terminations[agent] or truncations[agent])]
        return (
            observations,
            {agent: rewards[index[agent]] for agent in acted},
            terminations,
            truncations,
            infos,
        )

    def batch(self) -> dict[str, Tensor]:
        """What all agents see now, those that are out included, as a batch of one (`GameVectorEnv`)."""
        return self._episodes.observe()

    def state(self) -> NDArray[np.float32]:
        state = self.game.global_state(self._episodes.state)
        if state is None:
            raise NoStateError(
                f"{type(self.game).__name__} has no global state; use the agents' observations"
            )
        return state[0].numpy().copy()

    def neighbors(self) -> NDArray[np.bool_]:
        return self.game.neighbors(self._episodes.state)[0].numpy().copy()

    def render(self) -> Any:
        if self.render_mode is None:
            return None
        order = tuple(self.possible_agents.index(agent) for agent in self.priority)
        return self.game.render(self._episodes.state, self.render_mode, order)  # type: ignore[arg-type]

    def close(self) -> None:
        """Nothing to release."""

    def _joint_action(self, actions: dict[str, Any]) -> torch.Tensor:
        game = self.game
        shape = (game.n,) if game.discrete else (game.n, game.action_width)
        joint = np.zeros(shape, game.action_spaces[0].dtype)
        if not isinstance(actions, Mapping):
            raise InvalidActionError(
                f"actions={shown(actions)} are no mapping; expected an action for each of {self.agents}"
            )
        for index, agent in enumerate(self.possible_agents):
            if agent in self.agents:
                action = check_action(self.action_spaces[agent], agent, actions.get(agent))
                joint[index if game.discrete else (index, slice(action.size))] = action
        return torch.as_tensor(joint)[None]

    def _observations(self) -> dict[str, Observation]:
        own = self.game.observe(self._episodes.state)[0].numpy()
        return {agent: own[self.possible_agents.index(agent)].copy() for agent in self.agents}

    def _infos(self) -> dict[str, dict[str, Any]]:
        mask = self.game.action_mask(self._episodes.state)
        if mask is None:
            return {agent: {} for agent in self.agents}
        rows = mask[0].numpy().astype(np.int8)
        return {
            agent: {"action_mask": rows[i, : self.game.action_counts[i]].copy()}
            for i, agent in enumerate(self.possible_agents)
            if agent in self.agents
        }


def check_action(space: Space[Any], agent: str, action: Any) -> NDArray[Any]:
    """Validate one agent's action and return it as an array of the space's dtype.

    Raises:
        InvalidActionError: if it is missing, of the wrong shape, out of range, or not a number.
    """
    array = _number(space, action) if isinstance(space, Discrete) else _element(space, action)
    if array is None:
        raise InvalidActionError(
            f"action {shown(action)} of {agent} is not legal; expected {_expected(space)}"
        )
    return array.astype(space.dtype)


def _number(space: Discrete[Any], action: Any) -> NDArray[Any] | None:
    """The action as an array without axes, or None if it is no element of the space."""
    array = array_of(action)
    # By hand: `space.contains` alone takes twice as long as the whole check, which counts beside an engine.
    if array is None or array.shape or array.dtype.kind not in "iu":
        return None
    return array if space.start <= array.item() < space.start + space.n else None


def _element(space: Space[Any], action: Any) -> NDArray[Any] | None:
    """The action as an array, or None if it is none that the space takes."""
    array = array_of(action)
    if array is None:
        return None
    if isinstance(space, Box):
        return _in_box(space, array)
    return array if np.issubdtype(array.dtype, np.integer) and space.contains(array[()]) else None


def _in_box(space: Box, array: NDArray[Any]) -> NDArray[Any] | None:
    """The action in the space's type; beyond its bounds is the game's business (most clip), NaN never is."""
    if array.shape != space.shape or array.dtype.kind not in "biuf":
        return None
    with np.errstate(all="ignore"):
        own = array.astype(space.dtype)
    # What an integer type has no room for would come back as another number.
    kept = bool(np.isfinite(own).all()) if own.dtype.kind == "f" else np.array_equal(own, array)
    return own if kept else None


def array_of(action: Any) -> NDArray[Any] | None:
    """An action as an array, or None if it cannot be one."""
    try:
        return None if action is None else np.asarray(action)
    except (TypeError, ValueError, RuntimeError):
        return None


def _expected(space: Space[Any]) -> str:
    if isinstance(space, Box):
        return f"finite numbers of shape {space.shape} and type {space.dtype}"
    if isinstance(space, Discrete):
        return f"an integer in {space.start}..{space.start + space.n - 1}"
    return f"an element of {space}"
