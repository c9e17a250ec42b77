"""What somebody's parallel environment tells, checked where it comes in: names, numbers, masks, ends."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, flatdim, flatten
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.soundness import require_finite

AnyParallelEnv: TypeAlias = ParallelEnv[str, Any, Any]
MASK = "action_mask"
MAPPINGS = (dict, Mapping)
"""The usual kind first, which is seen at once."""
RESET = ("observations", "infos")
"""What a reset returns."""
STEP = ("observations", "rewards", "terminations", "truncations", "infos")
"""What a step returns."""


def all_agents(env: AnyParallelEnv) -> tuple[str, ...]:
    """The names of everybody who may play.

    Raises:
        InvalidArgumentError: if there is nobody, or they are not distinct names.
    """
    agents = getattr(env, "possible_agents", None)
    if not _names(agents) or not agents:
        raise InvalidArgumentError(
            f"possible_agents={shown(agents)} of {env} is not accepted; expected distinct names of all agents"
        )
    return tuple(agents)


def living_agents(env: AnyParallelEnv, known: Collection[str]) -> list[str]:
    """The names of those who play now.

    Raises:
        InvalidArgumentError: if they are not distinct names of agents.
    """
    agents = env.agents
    if not _names(agents) or not all(name in known for name in agents):
        raise InvalidArgumentError(
            f"agents={shown(agents)} of {env} is not accepted; expected distinct names among {tuple(known)}"
        )
    return list(agents)


def _names(agents: object) -> bool:
    """Whether these are names, each once."""
    if not isinstance(agents, list | tuple):
        return False
    return all(isinstance(name, str) for name in agents) and len(set(agents)) == len(agents)


def require_tables(env: AnyParallelEnv, what: str, told: Any, names: Sequence[str]) -> None:
    """Raise InvalidArgumentError unless a call returned so many mappings, by agent."""
    fits = isinstance(told, (tuple, list)) and len(told) == len(names)
    if not fits or not all([isinstance(table, MAPPINGS) for table in told]):
        raise InvalidArgumentError(
            f"{what} of {env} returned {shown(told)}; expected the mappings {', '.join(names)}"
        )
    for agent, info in told[-1].items():
        if not isinstance(info, MAPPINGS):
            raise InvalidArgumentError(f"info of {agent} is {shown(info)}; expected a mapping, such as {{}}")


def require_sights(observations: Mapping[str, Any], agents: Collection[str]) -> None:
    """Raise InvalidArgumentError unless all who are to decide see something."""
    blind = [agent for agent in agents if agent not in observations]
    if blind:
        raise InvalidArgumentError(
            f"observations of {list(observations)} alone; expected one for each of the agents who play, "
            f"{blind[0]} too"
        )


def reward_of(agent: str, paid: Mapping[str, Any]) -> float:
    """What an agent that acted is paid.

    Raises:
        InvalidArgumentError: if that is nothing, or no number.
        NotFiniteError: if it is not finite.
    """
    given = paid.get(agent)
    # What nearly everybody pays; the checks below count beside a small environment.
    if isinstance(given, float) and math.isfinite(given):
        return float(given)
    value = np.asarray(given)
    if isinstance(given, list | tuple) or value.dtype.kind not in "biuf" or value.size != 1:
        raise InvalidArgumentError(f"reward of {agent} is {shown(given)}; expected a number")
    require_finite(f"reward of {agent}", value)
    return float(value.reshape(()))


def ended(agent: str, ends: Mapping[str, Any]) -> bool:
    """Whether an agent has come to an end; nothing said means that it has not.

    Raises:
        InvalidArgumentError: if what is said is neither yes nor no.
    """
    said = ends.get(agent, False)
    if isinstance(said, bool | np.bool_):
        return bool(said)
    value = np.asarray(said)
    if value.dtype.kind not in "biu" or value.size != 1 or value.item() not in (0, 1):
        raise InvalidArgumentError(f"end of {agent} is {shown(said)}; expected True or False")
    return bool(value)


def own_space(space: Space[Any]) -> Space[Any]:
    """The part of an observation space that is observed, without a mask."""
    return (
        space["observation"]
        if isinstance(space, Dict) and {"observation", MASK} <= set(space.spaces)
        else space
    )


def masked(value: Any) -> bool:
    """Whether an observation or an info has a mask."""
    return isinstance(value, MAPPINGS) and MASK in value


def numbers_of(space: Space[Any], agent: str, observation: Any) -> NDArray[Any]:
    """What an agent sees as a row of numbers.

    Args:
        space: its own, without a mask.
        agent: its name.
        observation: what it sees, maybe with a mask.

    Raises:
        InvalidArgumentError: if that does not fit the space.
    """
    seen = observation["observation"] if masked(observation) else observation
    # As Gymnasium's `flatten` does it, which looks longer for how.
    simple = isinstance(space, Box) and isinstance(seen, np.ndarray) and seen.dtype == space.dtype
    if simple and seen.shape == space.shape:
        return seen.reshape(-1)
    try:
        fits = not isinstance(space, Box) or np.shape(seen) == space.shape
        row = np.asarray(flatten(space, seen)) if fits else None
    # What others' values do in Gymnasium's flatten where they are not of the space.
    except (TypeError, ValueError, LookupError, AttributeError):
        row = None
    if row is None or row.shape != (flatdim(space),):
        raise InvalidArgumentError(f"observation of {agent} is {shown(seen)}; expected one of {space}")
    return row


def mask_of(agent: str, value: Any, count: int) -> NDArray[np.bool_]:
    """Legal actions as a row of flags.

    Raises:
        InvalidArgumentError: if they are not that many flags.
    """
    mask = np.asarray(value)
    flags = mask.astype(bool) if mask.shape == (count,) and mask.dtype.kind in "biuf" else None
    if flags is None or not (flags == mask).all():
        raise InvalidArgumentError(
            f"{MASK} of {agent} is {shown(value)}; expected {count} flags, 1 for what it may do"
        )
    return flags


def checked_reset(env: AnyParallelEnv, told: Any) -> tuple[Any, Any]:
    """What a reset returned, if it is sound: everybody who plays sees numbers and has a mask of its actions.

    Args:
        env: the environment after the reset.
        told: what it returned.

    Raises:
        InvalidArgumentError: for what does not fit.
        NotFiniteError: for numbers that are not finite.
    """
    require_tables(env, "reset", told, RESET)
    observations, infos = told
    _require_sound(env, observations, infos)
    return observations, infos


def checked_step(env: AnyParallelEnv, acting: Collection[str], told: Any) -> tuple[Any, Any, Any, Any, Any]:
    """What a step returned, if it is sound, and whoever acted is paid; else as `checked_reset`.

    Args:
        env: the environment after the step.
        acting: who played before it.
        told: what it returned.
    """
    require_tables(env, "step", told, STEP)
    observations, rewards, terminations, truncations, infos = told
    _require_sound(env, observations, infos)
    for agent in acting:
        reward_of(agent, rewards)
        ended(agent, terminations)
        ended(agent, truncations)
    return observations, rewards, terminations, truncations, infos


def _require_sound(env: AnyParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> None:
    agents = env.agents
    require_sights(observations, agents)
    for agent in agents:
        own, actions = own_space(env.observation_space(agent)), env.action_space(agent)
        if own.is_np_flattenable:
            require_finite(f"observation of {agent}", numbers_of(own, agent, observations[agent]))
        for source in (observations[agent], infos.get(agent, {})):
            if masked(source) and isinstance(actions, Discrete):
                mask_of(agent, source[MASK], int(actions.n))
