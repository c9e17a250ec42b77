"""Environments of engines in worker processes."""

from stmg_envs.pool.batch import engine_batch
from stmg_envs.pool.child import be_child, portable
from stmg_envs.pool.errors import WorkerError
from stmg_envs.pool.supervision import ending, process_context
from stmg_envs.pool.vector import ANSWER_SECONDS, PoolVectorEnv

__all__ = [
    "ANSWER_SECONDS",
    "PoolVectorEnv",
    "WorkerError",
    "be_child",
    "ending",
    "engine_batch",
    "portable",
    "process_context",
]
