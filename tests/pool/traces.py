"""What a batch of hazards says in a long random play."""

from __future__ import annotations

from typing import Any

import torch

from stmg_envs.protocol import JointVectorEnv


def safe_actions(env: JointVectorEnv, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(2, (env.num_envs, env.game.n), generator=generator)


def trace(env: JointVectorEnv, steps: int) -> list[Any]:
    """All that a batch says in random play, with a new start and a restored one in the middle."""
    generator = torch.Generator().manual_seed(3)
    told: list[Any] = [env.priority, env.reset(seed=7)]
    for step in range(steps):
        told += [env.neighbors(), env.episode_streams.keys, env.step(safe_actions(env, generator))]
        if step == steps // 3:
            told.append(env.reset())
        if step == 2 * steps // 3:
            told.append(env.restore(env.snapshot()))
    return told
