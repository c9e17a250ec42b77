"""One timestep as a sequence of turns: what each agent sees, and when the joint step is due."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, flatten, flatten_space
from numpy.typing import NDArray

from stmg_envs.errors import InvalidArgumentError, UnknownNameError
from stmg_envs.protocol.parallel import PriorityParallelEnv, check_action
from stmg_envs.protocol.parallel_spaces import require_numbers
from stmg_envs.protocol.soundness import require_legal_action
from stmg_envs.protocol.told import own_space

TurnObservation = dict[str, Any]


class TurnSpaces:
    """Spaces of the turn observations of a parallel environment.

    The turn observation is a flat Dict:

    | Key              | Space              | Meaning                                               |
    |------------------|--------------------|-------------------------------------------------------|
    | `observation`    | Box                | own observation                                       |
    | `state`          | Box (state_dim,)   | only if the game has a global state                   |
    | `leader_actions` | Box (n, width)     | row k: action of rank k, zeros before it has acted   |
    | `rank`           | Discrete(n)        | own rank, 0 decides first                             |
    | `agent`          | Discrete(n)        | own index                                             |
    | `action_mask`    | Box int8 (A,)      | discrete actions only                                 |

    Own observations that are no Box are flattened with Gymnasium's `flatten`; of a Dict with the keys
    `observation` and `action_mask` (PettingZoo's convention for masks) the parts are used.

    Args:
        parallel: the environment.

    Raises:
        InvalidArgumentError: if action spaces are neither all Discrete nor all one-dimensional Box, or
            observations are not a fixed number of numbers.
    """

    def __init__(self, parallel: PriorityParallelEnv) -> None:
        self.agents = tuple(parallel.possible_agents)
        self.actions = {agent: parallel.action_space(agent) for agent in self.agents}
        self.discrete = all(isinstance(space, Discrete) for space in self.actions.values())
        if not self.discrete and not all(
            isinstance(space, Box) and len(space.shape) == 1 for space in self.actions.values()
        ):
            raise InvalidArgumentError(
                f"action spaces {list(self.actions.values())} have no turn-based form; "
                f"expected all Discrete or all one-dimensional Box"
            )
        self.widths = {
            agent: int(space.n) if isinstance(space, Discrete) else space.shape[0]  # type: ignore[index]
            for agent, space in self.actions.items()
        }
        self.width = max(self.widths.values())
        self.own = {agent: own_space(parallel.observation_space(agent)) for agent in self.agents}
        self.state = parallel.state_space
        self.observations = {agent: self._turn_space(agent) for agent in self.agents}

    def _turn_space(self, agent: str) -> Dict:
        n = len(self.agents)
        low, high = 0.0, 1.0
        if not self.discrete:
            boxes = [space for space in self.actions.values() if isinstance(space, Box)]
            # Rows of agents that have not acted are zero.
            low = min(0.0, *(float(box.low.min()) for box in boxes))
            high = max(0.0, *(float(box.high.max()) for box in boxes))
        spaces: dict[str, Space[Any]] = {"observation": _own_box(self.own[agent])}
        if self.state is not None:
            spaces["state"] = self.state
        spaces["leader_actions"] = Box(low, high, (n, self.width), np.float32)
        spaces["rank"] = Discrete(n)
        spaces["agent"] = Discrete(n)
        if self.discrete:
            spaces["action_mask"] = Box(0, 1, (self.widths[agent],), np.int8)
        return Dict(spaces)

    def encode(self, agent: str, action: NDArray[Any]) -> NDArray[np.float32]:
        """An action as a row of `leader_actions`."""
        row = np.zeros(self.width, np.float32)
        space = self.actions[agent]
        if isinstance(space, Discrete):
            row[int(action) - int(space.start)] = 1.0
        else:
            row[: self.widths[agent]] = action
        return row


def _own_box(space: Space[Any]) -> Space[Any]:
    require_numbers(space)
    return space if isinstance(space, Box) else flatten_space(space)


class Turns:
    """The turns of one timestep over a parallel environment.

    Args:
        parallel: the environment; its priority is read at the start of every timestep.
    """

    def __init__(self, parallel: PriorityParallelEnv) -> None:
        self.parallel = parallel
        self.spaces = TurnSpaces(parallel)
        self.priority: tuple[str, ...] = tuple(parallel.possible_agents)
        self.order: tuple[str, ...] = ()
        self.actions: dict[str, NDArray[Any]] = {}
        self._observations: dict[str, Any] = {}
        self._infos: dict[str, dict[str, Any]] = {}
        self._state: NDArray[Any] | None = None

    def reset(self) -> None:
        """Forget the last episode: who is absent now has seen nothing."""
        self._observations, self._infos = {}, {}

    def begin(
        self, alive: Iterable[str], observations: dict[str, Any], infos: dict[str, dict[str, Any]]
    ) -> None:
        """Start a timestep: fix the order of the living agents and forget the last actions.

        Args:
            alive: agents that will decide.
            observations: what each agent sees; agents that have just ended keep their last one.
            infos: one info per agent.

        Raises:
            NoLegalActionError: if an agent that will decide has no legal action.
        """
        living = set(alive)
        self.priority = tuple(self.parallel.priority)
        self.order = tuple(agent for agent in self.priority if agent in living)
        self.actions = {}
        self._observations = {**self._observations, **observations}
        # A mask holds for the timestep that it was given for.
        self._infos = {**self._infos, **{agent: infos.get(agent, {}) for agent in {*living, *infos}}}
        self._state = np.array(self.parallel.state()) if self.spaces.state is not None else None
        if self.spaces.discrete:
            for agent in self.order:
                require_legal_action(agent, self.own(agent)[1])

    @property
    def current(self) -> str:
        """The agent whose turn it is.

        Raises:
            InvalidArgumentError: if nobody is to decide.
        """
        if not self.order:
            raise InvalidArgumentError(
                f"nobody is in the game; expected one of {self.spaces.agents} among the environment's agents "
                f"after reset()"
            )
        return self.order[len(self.actions)]

    @property
    def complete(self) -> bool:
        """Whether all living agents have decided."""
        return len(self.actions) == len(self.order)

    def submit(self, action: Any) -> None:
        """Take the action of the agent whose turn it is.

        Raises:
            InvalidActionError: if its space does not contain the action.
        """
        agent = self.current
        self.actions[agent] = check_action(self.spaces.actions[agent], agent, action)

    def joint_action(self) -> dict[str, Any]:
        """All decisions, as the parallel environment takes them."""
        return {
            agent: action.item() if action.ndim == 0 else action for agent, action in self.actions.items()
        }

    def observe(self, agent: str) -> TurnObservation:
        """What an agent sees on its turn: itself and the actions of its superiors, nothing else.

        Raises:
            UnknownNameError: if there is no such agent, or no episode yet.
        """
        if agent not in self._observations:
            raise UnknownNameError(
                f"agent={agent!r} has seen nothing; expected one of {self.spaces.agents}, after reset()"
            )
        rank = self.priority.index(agent)
        leader_actions = np.zeros((len(self.priority), self.spaces.width), np.float32)
        for superior_rank, superior in enumerate(self.priority[:rank]):
            if superior in self.actions:
                leader_actions[superior_rank] = self.spaces.encode(superior, self.actions[superior])
        own, mask = self.own(agent)
        view: TurnObservation = {"observation": own}
        if self._state is not None:
            view["state"] = self._state.copy()
        view["leader_actions"] = leader_actions
        view["rank"] = np.int64(rank)
        view["agent"] = np.int64(self.spaces.agents.index(agent))
        if self.spaces.discrete:
            view["action_mask"] = mask
        return view

    def info(self, agent: str) -> dict[str, Any]:
        """The parallel environment's info of an agent, without the mask that the observation has."""
        return {key: value for key, value in self._infos.get(agent, {}).items() if key != "action_mask"}

    def own(self, agent: str) -> tuple[NDArray[Any], NDArray[np.int8]]:
        """What an agent sees of the game, without the turns, and its legal actions (A,)."""
        observation = self._observations[agent]
        mask = self._infos.get(agent, {}).get("action_mask")
        if isinstance(observation, dict) and "action_mask" in observation:
            mask, observation = observation["action_mask"], observation["observation"]
        space = self.spaces.own[agent]
        own = np.array(observation if isinstance(space, Box) else flatten(space, observation))
        legal = np.ones(self.spaces.widths[agent], np.int8) if mask is None else np.array(mask, np.int8)
        return own, legal
