"""Every id, registered with Gymnasium and PettingZoo."""

from __future__ import annotations

from typing import Any

import gymnasium
import pettingzoo

from stmg_envs.protocol import PriorityParallelEnv
from stmg_envs.protocol.aec import TurnBasedEnv
from stmg_envs.protocol.stream import TurnStreamEnv
from stmg_envs.protocol.vector_stream import TurnStreamVectorEnv
from stmg_envs.registry import REGISTRY
from stmg_envs.spec import GameSpec
from stmg_envs.views import aec_env, parallel_env, turn_stream, vector_turn_stream


def register(spec: GameSpec) -> None:
    """Add a game to the table of this program, and make it known to Gymnasium and PettingZoo.

    Games of an installed package are found without a call, by its entry points of the group `stmg.games`.

    Args:
        spec: its row; its id has a namespace of its own, such as `my/Game-v0`.

    Raises:
        InvalidArgumentError: if it is no row, or if its id belongs to another game.
    """
    REGISTRY.add(spec)
    _tell_libraries(spec.id)


def register_all() -> None:
    """Register every id with Gymnasium and PettingZoo; calling it again changes nothing.

    Those of installed packages too, by their names alone: their code is imported when somebody makes one.
    """
    for id in REGISTRY.names():
        _tell_libraries(id)


def _tell_libraries(id: str) -> None:
    if id not in gymnasium.registry:
        gymnasium.register(
            id,
            entry_point="stmg_envs.registration:_gymnasium_entry",
            vector_entry_point="stmg_envs.registration:_gymnasium_vector_entry",
            kwargs={"env_id": id},
        )
    for view, known in (("parallel", pettingzoo.parallel_registry), ("aec", pettingzoo.aec_registry)):
        if id not in known:
            pettingzoo.register(view, id, f"stmg_envs.registration:_{view}_entry", kwargs={"env_id": id})


def _gymnasium_entry(env_id: str, **kwargs: Any) -> TurnStreamEnv:
    return turn_stream(env_id, **kwargs)


def _gymnasium_vector_entry(env_id: str, **kwargs: Any) -> TurnStreamVectorEnv:
    return vector_turn_stream(env_id, **kwargs)


def _parallel_entry(env_id: str, **kwargs: Any) -> PriorityParallelEnv:
    return parallel_env(env_id, **_in_our_words(kwargs))


def _aec_entry(env_id: str, **kwargs: Any) -> TurnBasedEnv:
    return aec_env(env_id, **_in_our_words(kwargs))


def _in_our_words(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments in which PettingZoo's name of a time limit stands under ours."""
    return {"max_steps" if name == "max_cycles" else name: value for name, value in kwargs.items()}
