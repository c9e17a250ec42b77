"""Ids of environments that are not ours: `gymnasium/CartPole-v1`, `pettingzoo/mpe2.simple_spread_v3`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import gymnasium
import torch
from pettingzoo import ParallelEnv

from stmg_envs import joint_spaces
from stmg_envs.errors import InvalidArgumentError, MissingEngineError, STMGError, UnknownNameError
from stmg_envs.pool import engine_batch
from stmg_envs.protocol import EngineVectorEnv, JointSpaces, ParallelSpaces
from wrappers.one_agent import OneAgent

AnyParallelEnv: TypeAlias = ParallelEnv[str, Any, Any]


def _gymnasium(name: str, kwargs: dict[str, Any]) -> AnyParallelEnv:
    try:
        return OneAgent(gymnasium.make(name, **kwargs))
    except gymnasium.error.DependencyNotInstalled as error:
        raise MissingEngineError(f"id='gymnasium/{name}' needs a package: {error}") from None
    except gymnasium.error.Error as error:
        raise UnknownNameError(f"id='gymnasium/{name}' is unknown to Gymnasium: {error}") from None


def _pettingzoo(name: str, kwargs: dict[str, Any]) -> AnyParallelEnv:
    expected = "expected a module with parallel_env, for instance pettingzoo/mpe2.simple_spread_v3"
    if not all(part.isidentifier() for part in name.split(".")):
        raise UnknownNameError(f"id='pettingzoo/{name}' names no module; {expected}")
    module = importlib.import_module(name)
    if not hasattr(module, "parallel_env"):
        raise UnknownNameError(f"id='pettingzoo/{name}': the module {name!r} has no parallel_env; {expected}")
    env: AnyParallelEnv = module.parallel_env(**kwargs)
    return env


SOURCES: dict[str, Callable[[str, dict[str, Any]], AnyParallelEnv]] = {
    "gymnasium": _gymnasium,
    "pettingzoo": _pettingzoo,
}
"""What stands before the slash of an id, and how the rest makes an environment."""


def is_external(env_id: str) -> bool:
    """Whether an id names an environment of Gymnasium or PettingZoo."""
    return env_id.partition("/")[0] in SOURCES


def names_module(env_id: str) -> bool:
    """Whether making an environment imports a module that its id names, whatever that does.

    Ids in a registry, ours or Gymnasium's own, name none.
    """
    source, _, name = env_id.partition("/")
    return source == "pettingzoo" or (source == "gymnasium" and ":" in name)


def external_env(env_id: str, **kwargs: Any) -> AnyParallelEnv:
    """One environment of Gymnasium, as a game of one agent, or of PettingZoo.

    Args:
        env_id: `gymnasium/<id>`, or `pettingzoo/<module>` of a module with `parallel_env`.
        **kwargs: arguments of the environment.

    Raises:
        UnknownNameError, MissingEngineError, InvalidArgumentError: for what is wrong with id or arguments.
    """
    source, _, name = env_id.partition("/")
    try:
        return SOURCES[source](name, kwargs)
    except STMGError:
        raise
    except ImportError as error:
        missing = f"the package of the module {error.name!r}" if error.name else "what it names"
        raise MissingEngineError(
            f"id={env_id!r} cannot be imported ({error}); install {missing}, or correct the id"
        ) from None
    # Whatever else others' code raises: it cannot be made like this.
    except Exception as error:
        raise InvalidArgumentError(
            f"id={env_id!r} cannot be made with the arguments {kwargs} ({type(error).__name__}: {error}); "
            f"expected arguments that its environment takes"
        ) from error


def game_of(env_id: str, **kwargs: Any) -> JointSpaces:
    """Agents and spaces of any id; of a native game, the game itself.

    Raises:
        UnknownNameError, MissingEngineError, InvalidArgumentError: for what is wrong with id or arguments.
    """
    if is_external(env_id):
        return ParallelSpaces(external_env(env_id, **kwargs))
    return joint_spaces(env_id, **kwargs)


def external_vector_env(
    env_id: str, num_envs: int, device: torch.device | str = "cpu", workers: int = 0, **kwargs: Any
) -> EngineVectorEnv:
    """A batch of environments of Gymnasium or PettingZoo, stepped by so many workers or, for 0, this process.

    Other arguments and errors are those of `external_env`.
    """
    return engine_batch(partial(external_env, env_id, **kwargs), num_envs, device, workers)
