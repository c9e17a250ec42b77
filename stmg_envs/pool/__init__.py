"""Environments of engines in worker processes."""

from stmg_envs.pool.batch import engine_batch
from stmg_envs.pool.errors import WorkerError
from stmg_envs.pool.vector import PoolVectorEnv

__all__ = ["PoolVectorEnv", "WorkerError", "engine_batch"]
