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
from stmg_envs.views import aec_env, parallel_env, turn_stream, vector_turn_stream


def register_all() -> None:
    """Register every id with Gymnasium and PettingZoo; calling it again changes nothing."""
    for id in REGISTRY:
        if id not in gymnasium.registry:
            gymnasium.register(
                id,
                entry_point="stmg_envs.registration:_gymnasium_entry",
                vector_entry_point="stmg_envs.registration:_gymnasium_vector_entry",
                kwargs={"env_id": id},
            )
        if id not in pettingzoo.parallel_registry:
            pettingzoo.register(
                "parallel", id, "stmg_envs.registration:_parallel_entry", kwargs={"env_id": id}
            )
        if id not in pettingzoo.aec_registry:
            pettingzoo.register("aec", id, "stmg_envs.registration:_aec_entry", kwargs={"env_id": id})


def _gymnasium_entry(env_id: str, **kwargs: Any) -> TurnStreamEnv:
    return turn_stream(env_id, **kwargs)


def _gymnasium_vector_entry(env_id: str, **kwargs: Any) -> TurnStreamVectorEnv:
    return vector_turn_stream(env_id, **kwargs)


def _parallel_entry(env_id: str, **kwargs: Any) -> PriorityParallelEnv:
    return parallel_env(env_id, **kwargs)


def _aec_entry(env_id: str, **kwargs: Any) -> TurnBasedEnv:
    return aec_env(env_id, **kwargs)
