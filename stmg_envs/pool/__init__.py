"""Environments of engines in worker processes."""

from stmg_envs.pool.batch import engine_batch
from stmg_envs.pool.errors import WorkerError
from stmg_envs.pool.supervision import ending
from stmg_envs.pool.vector import ANSWER_SECONDS, PoolVectorEnv

__all__ = ["ANSWER_SECONDS", "PoolVectorEnv", "WorkerError", "ending", "engine_batch"]
