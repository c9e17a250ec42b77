"""What a joint policy needs to see to decide in any view of a game: all observations, as one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import (
    GameParallelEnv,
    JointVectorEnv,
    Observations,
    ParallelSpaces,
    PriorityParallelEnv,
    TurnBasedEnv,
    TurnStreamEnv,
)

View = JointVectorEnv | PriorityParallelEnv | TurnBasedEnv | TurnStreamEnv
"""What a policy plays in: `vector_env`, `parallel_env`, `aec_env`, and `gymnasium.make`."""


@dataclass(frozen=True)
class Sight:
    """One decision that is due.

    Attributes:
        observations: of all agents, leading axis B.
        priority: int64 (B, n).
        decided: actions of this timestep's superiors by agent index, in the form of the environment.
        agent: whose turn it is, an index, or None where all decide.
    """

    observations: Observations
    priority: Tensor
    decided: Mapping[int, Any]
    agent: int | None = None


def view_of(env: object) -> View:
    """The view of the suite within wrappers.

    Raises:
        InvalidArgumentError: if it is none.
    """
    inner = getattr(env, "unwrapped", env)
    if not isinstance(inner, View):
        raise InvalidArgumentError(
            f"env={shown(env)} is no view of a game; expected what gymnasium.make, stmg_envs.aec_env, "
            f"stmg_envs.parallel_env or stmg_envs.vector_env give"
        )
    return inner


def engine_spaces(env: View) -> ParallelSpaces | None:
    """What learners know of the engine behind a view of single episodes; None of native games and batches."""
    if isinstance(env, JointVectorEnv):
        return None
    parallel = env if isinstance(env, PriorityParallelEnv) else env.parallel
    return None if isinstance(parallel, GameParallelEnv) else ParallelSpaces(parallel)


def sight(
    env: View, engine: ParallelSpaces | None, observation: Any, infos: Mapping[str, Any] | None = None
) -> Sight:
    """What is to be decided upon.

    Args:
        env: the view that gave the observation.
        engine: its `engine_spaces`.
        observation: what it gave; what it does not show of native games and of turns is read from the view.
        infos: of the parallel view of an engine, in which masks of actions are.

    Raises:
        InvalidArgumentError: if it is none of that view's, or if masks are missing.
    """
    if isinstance(env, JointVectorEnv):
        return Sight(observation, torch.as_tensor(env.priority), {})
    if isinstance(env, PriorityParallelEnv):
        return Sight(_of_all(env, engine, observation, infos), _order(env), {})
    turns, agents = env.turns, env.turns.spaces.agents
    decided = {agents.index(agent): action for agent, action in turns.actions.items()}
    return Sight(_of_a_turn(env, engine), _order(env.parallel), decided, agents.index(turns.current))


def _of_all(
    env: PriorityParallelEnv, spaces: ParallelSpaces | None, given: Any, infos: Mapping[str, Any] | None
) -> Observations:
    if not isinstance(given, Mapping) or not set(given) <= set(env.possible_agents):
        raise InvalidArgumentError(
            f"observation={shown(given)} is none of a parallel view; expected one for each of {env.agents}"
        )
    if spaces is None:
        return _of_a_game(env)
    if infos is None and spaces.discrete:
        raise InvalidArgumentError(
            "infos=None: masks of actions are in there; expected those of the last step"
        )
    told = infos or {}
    rows = {}
    for i, agent in enumerate(spaces.agents):
        if agent in given and agent in env.agents:
            legal = spaces.legal(i, given[agent], told.get(agent, {})) if spaces.discrete else None
            rows[i] = spaces.own(i, given[agent]), legal
    return _batch(env, spaces, rows)


def _of_a_turn(env: TurnBasedEnv | TurnStreamEnv, spaces: ParallelSpaces | None) -> Observations:
    if spaces is None:
        return _of_a_game(env.parallel)
    rows = {}
    for agent in env.turns.order:
        own, mask = env.turns.own(agent)
        row = np.zeros(spaces.observation_space.shape, np.float32)
        row[: own.size] = own.reshape(-1)
        legal = np.zeros(spaces.action_width, bool) if spaces.discrete else None
        if legal is not None:
            legal[: len(mask)] = mask
        rows[spaces.agents.index(agent)] = row, legal
    return _batch(env.parallel, spaces, rows)


def _of_a_game(env: PriorityParallelEnv) -> Observations:
    assert isinstance(env, GameParallelEnv)
    return env.batch()


def _batch(
    env: PriorityParallelEnv,
    spaces: ParallelSpaces,
    rows: Mapping[int, tuple[NDArray[np.float32], NDArray[np.bool_] | None]],
) -> Observations:
    """A batch of one episode of an engine, as `vector_env` gives it; rows of those who are out are empty."""
    observations: Observations = {
        "observation": torch.zeros(1, spaces.n, *spaces.observation_space.shape),
        "alive": torch.zeros(1, spaces.n, dtype=torch.bool),
    }
    if spaces.discrete:
        observations["action_mask"] = torch.ones(1, spaces.n, spaces.action_width, dtype=torch.bool)
    for index, (own, legal) in rows.items():
        observations["observation"][0, index] = torch.from_numpy(own)
        observations["alive"][0, index] = True
        if legal is not None:
            observations["action_mask"][0, index] = torch.from_numpy(legal)
    if spaces.state_space is not None:
        state = np.asarray(env.state(), np.float32).reshape(1, -1)
        observations["state"] = torch.from_numpy(state)
    return observations


def _order(env: PriorityParallelEnv) -> Tensor:
    agents = tuple(env.possible_agents)
    return torch.tensor([[agents.index(agent) for agent in env.priority]])
