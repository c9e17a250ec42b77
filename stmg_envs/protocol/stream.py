"""View 3: one stream of turns for single-agent learners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import gymnasium
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.protocol.parallel import PriorityParallelEnv, array_of, check_action
from stmg_envs.protocol.turns import TurnObservation, Turns, TurnSpaces

if TYPE_CHECKING:
    import networkx as nx

RewardMode = Literal["mean", "sum"]


def stream_spaces(spaces: TurnSpaces) -> tuple[Dict, Space[Any]]:
    """Observation and action space that fit every agent.

    Smaller own observations are padded with zeros; with unequal actions the action space is the largest:
    the mask tells which actions are the agent's own, and of too many numbers the first count.

    Raises:
        InvalidArgumentError: if observations, or Box actions, differ in more than length and bounds.
    """
    shared = dict(next(iter(spaces.observations.values())).spaces)
    owns = [view["observation"] for view in spaces.observations.values()]
    largest = owns[0]
    if any(own != largest for own in owns):
        boxes = [own for own in owns if isinstance(own, Box) and len(own.shape) == 1]
        if len(boxes) < len(owns):
            raise InvalidArgumentError(f"observations {owns} cannot be padded to one shape; use the AEC view")
        dtype = np.result_type(*(box.dtype for box in boxes))
        low = min(dtype.type(0), *(box.low.min() for box in boxes))
        high = max(dtype.type(0), *(box.high.max() for box in boxes))
        largest = Box(low, high, max(box.shape for box in boxes), dtype)
    shared["observation"] = largest
    actions = list(spaces.actions.values())
    if spaces.discrete:
        shared["action_mask"] = Box(0, 1, (spaces.width,), np.int8)
        return Dict(shared), Discrete(spaces.width)
    if all(space == actions[0] for space in actions):
        return Dict(shared), actions[0]
    rows = [space for space in actions if isinstance(space, Box) and len(space.shape) == 1]
    if len(rows) < len(actions):
        raise InvalidArgumentError(f"action spaces {actions} differ between agents; use the AEC view")
    low, high = min(float(row.low.min()) for row in rows), max(float(row.high.max()) for row in rows)
    return Dict(shared), Box(low, high, (spaces.width,), np.float32)


def check_reward_mode(reward: object) -> RewardMode:
    """Raise InvalidArgumentError unless reward is "mean" or "sum"."""
    if not isinstance(reward, str) or reward not in ("mean", "sum"):
        raise InvalidArgumentError(f"reward={shown(reward)} is unknown; expected 'mean' or 'sum'")
    return cast(RewardMode, reward)


class TurnStreamEnv(gymnasium.Env[TurnObservation, Any]):
    """A game as one stream of turns: one `step` is one agent's decision.

    The reward is the mean (or sum) over agents of the timestep's rewards when its last agent has
    acted, 0.0 before. `info` always carries `agent` (name of the agent to decide next), `rewards`
    (float32 (n,), those of the timestep that has just ended, else zeros), `terminations` and `truncations`
    (bool (n,), which agents that timestep has ended and how) and `timestep_end` (bool). An episode that is
    over is truncated if one of its last agents was, else terminated.

    Where agents have unequal action counts, an action beyond the agent's own count is taken modulo
    that count, so that learners without masks can run; `action_mask` tells the agent's own actions. Where
    Box actions have unequal length, all are as long as the longest, and an agent's first numbers count.

    Args:
        parallel: the environment.
        reward: "mean" or "sum" over agents.

    Raises:
        InvalidArgumentError: if no space fits all agents, or the reward mode is unknown.
    """

    def __init__(self, parallel: PriorityParallelEnv, reward: RewardMode = "mean") -> None:
        self.parallel = parallel
        self.turns = Turns(parallel)
        self.reward = check_reward_mode(reward)
        self.metadata = dict(parallel.metadata)
        self.render_mode = parallel.render_mode
        self.observation_space, self.action_space = stream_spaces(self.turns.spaces)

    @property
    def priority(self) -> tuple[str, ...]:
        """Agent names, first to decide first."""
        return self.parallel.priority

    def neighbors(self) -> NDArray[np.bool_]:
        """The present neighbour graph, bool (n, n)."""
        return self.parallel.neighbors()

    def neighbor_graph(self) -> nx.Graph:
        """The present neighbour graph over agent names."""
        return self.parallel.neighbor_graph()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[TurnObservation, dict[str, Any]]:
        super().reset(seed=seed)
        observations, infos = self.parallel.reset(seed=seed, options=options)
        self.turns.reset()
        self.turns.begin(self.parallel.agents, observations, infos)
        return self._observe(self.turns.current), self._info(self.turns.current, None)

    def step(self, action: Any) -> tuple[TurnObservation, float, bool, bool, dict[str, Any]]:
        if not self.turns.order:
            raise InvalidArgumentError("the episode is over or was never started; call reset() before step()")
        agent = self.turns.current
        self.turns.submit(self._own_action(agent, action))
        if not self.turns.complete:
            follower = self.turns.current
            return self._observe(follower), 0.0, False, False, self._info(follower, None)
        acted = self.turns.order
        observations, rewards, terminations, truncations, infos = self.parallel.step(
            self.turns.joint_action()
        )
        self.turns.begin(self.parallel.agents, observations, infos)
        over = not self.turns.order
        ends = self._ends(terminations, truncations)
        cut = over and bool(ends["truncations"].any())
        # The stream goes on with whoever decides next; after the end, with whoever decided first.
        following = acted[0] if over else self.turns.current
        vector = np.array(
            [float(rewards.get(name, 0.0)) if name in acted else 0.0 for name in self.turns.spaces.agents],
            np.float32,
        )
        total = float(vector.sum(dtype=np.float64))
        reward = total if self.reward == "sum" else total / len(vector)
        return (
            self._observe(following),
            reward,
            over and not cut,
            cut,
            self._info(following, vector) | ends,
        )

    def _ends(self, terminations: dict[str, bool], truncations: dict[str, bool]) -> dict[str, Any]:
        """Which agents a timestep has ended, by the rules or else by cutting them off, each bool (n,)."""
        agents = self.turns.spaces.agents
        terminated = np.array([bool(terminations.get(name)) for name in agents])
        truncated = np.array([bool(truncations.get(name)) for name in agents])
        return {"terminations": terminated, "truncations": truncated & ~terminated}

    def action_masks(self) -> NDArray[np.int8]:
        """Legal actions of the agent to decide, the form MaskablePPO asks for."""
        return np.asarray(self._observe(self.turns.current)["action_mask"])

    def render(self) -> Any:
        return self.parallel.render()

    def close(self) -> None:
        self.parallel.close()

    def _own_action(self, agent: str, action: Any) -> Any:
        if not self.turns.spaces.discrete:
            own = self.turns.spaces.actions[agent].shape
            if own == self.action_space.shape or getattr(action, "shape", None) == own:
                return action
            return check_action(self.action_space, agent, action)[: self.turns.spaces.widths[agent]]
        space = self.turns.spaces.actions[agent]
        array = array_of(action)
        whole = array is not None and np.issubdtype(array.dtype, np.integer)
        if array is None or not whole or not self.action_space.contains(array[()]):
            raise InvalidActionError(
                f"action {shown(action)} of {agent} is not legal; expected an integer in "
                f"0..{self.turns.spaces.width - 1}"
            )
        return int(array) % self.turns.spaces.widths[agent] + int(space.start)  # type: ignore[attr-defined]

    def _observe(self, agent: str) -> TurnObservation:
        view = self.turns.observe(agent)
        space = self.observation_space
        assert isinstance(space, Dict)
        for key in ("observation", "action_mask"):
            if key in view and view[key].shape != space[key].shape:
                (size,) = space[key].shape or ()
                view[key] = np.pad(view[key], (0, size - len(view[key])))
            if key in view:
                view[key] = view[key].astype(space[key].dtype, copy=False)
        return view

    def _info(self, agent: str, rewards: NDArray[np.float32] | None) -> dict[str, Any]:
        return {
            **self.turns.info(agent),
            "agent": agent,
            "rewards": np.zeros(len(self.turns.spaces.agents), np.float32) if rewards is None else rewards,
            "timestep_end": rewards is not None,
            **self._ends({}, {}),
        }
