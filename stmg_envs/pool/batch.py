"""A batch of engines' environments, in this process or in workers."""

from __future__ import annotations

import torch

from stmg_envs.arguments import require_count
from stmg_envs.pool.patience import ANSWER_SECONDS
from stmg_envs.pool.vector import PoolVectorEnv
from stmg_envs.protocol import EngineVectorEnv, Make, ParallelVectorEnv


def engine_batch(
    make: Make,
    num_envs: int,
    device: torch.device | str = "cpu",
    workers: int = 0,
    worker_timeout: float = ANSWER_SECONDS,
) -> EngineVectorEnv:
    """B parallel environments as tensors; how many processes step them changes no number.

    Args:
        make: makes one environment.
        num_envs: B.
        device: where the tensors go.
        workers: processes; 0 steps the environments one after another in this one.
        worker_timeout: seconds for a step, after which a worker that does not answer counts as lost.

    Raises:
        InvalidArgumentError: if the spaces are not supported, or for a number out of range.
    """
    require_count("workers", workers, 0)
    if workers == 0:
        return ParallelVectorEnv(make, num_envs, device)
    return PoolVectorEnv(make, num_envs, device, workers, worker_timeout)
