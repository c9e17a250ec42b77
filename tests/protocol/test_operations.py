"""A step of a batch starts few operations: many short ones are what it costs, on an accelerator above all."""

from __future__ import annotations

import pytest
import torch
from operations import Operations

import stmg_envs

BATCH = 64


@pytest.mark.parametrize(
    ("id", "limit"),
    [
        ("stmg/Penalty-v0", 50),
        ("stmg/Coordination-v0", 15),
        ("stmg/CooperativeHunting-v0", 117),
        ("stmg/OnRampMerge-v0", 607),
    ],
)
def test_a_step_starts_few_operations(id: str, limit: int) -> None:
    env = stmg_envs.vector_env(id, BATCH, validate=False)
    env.reset(seed=0)
    game = env.game
    if game.discrete:
        actions = torch.zeros(BATCH, game.n, dtype=torch.int64)
    else:
        actions = torch.zeros(BATCH, game.n, game.action_width)
    # Afterwards all constants are there, and the state lies in memory as steps leave it.
    for _ in range(3):
        env.step(actions)
    with Operations() as counted:
        env.step(actions)
    total, often = counted.started.total(), counted.started.most_common(8)
    assert total <= limit, f"{total} operations, at most {limit} were expected; most often {often}"
