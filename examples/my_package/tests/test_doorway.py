"""The game does what its page says."""

from __future__ import annotations

from functools import cache
from math import comb
from pathlib import Path

import pytest
import torch
from my_package.rows import GAME

import baselines
import stmg_envs
from baselines.testing import check_algorithm
from stmg_envs.testing import check_game


def test_it_is_what_the_suite_asks_for() -> None:
    check_game("my/Game-v0")
    check_algorithm("my-algorithm", hidden_size=16)


@cache
def random_return(waiting: int, left: int) -> float:
    """The sum of returns of people who go by the toss of a coin."""
    if not waiting or not left:
        return 0.0
    total = 0.0
    for going in range(waiting + 1):
        chance = comb(waiting, going) / 2**waiting
        still = waiting - (going == 1)
        paid = (1.0 if going == 1 else -going) - 0.1 * still
        total += chance * (paid + random_return(still, left - 1))
    return total


def test_bounds() -> None:
    assert GAME.bounds == pytest.approx((random_return(3, 6) / 3, (1 + 0.9 + 0.8) / 3), abs=1e-9)


def test_one_after_the_other() -> None:
    env = stmg_envs.vector_env("my/Game-v0", 1)
    env.reset(seed=0)
    total = torch.zeros(3)
    for person in range(3):
        _, rewards, terminated, *_ = env.step(torch.eye(3, dtype=torch.int64)[[person]])
        total += rewards[0]
    assert total.tolist() == pytest.approx([1.0, 0.9, 0.8])
    assert bool(terminated)


def test_who_goes_with_others_bumps_into_them() -> None:
    env = stmg_envs.vector_env("my/Game-v0", 1)
    env.reset(seed=0)
    _, rewards, *_ = env.step(torch.tensor([[1, 1, 0]]))
    assert rewards[0].tolist() == pytest.approx([-1.1, -1.1, -0.1])


def test_followers_who_see_who_goes_need_no_luck(tmp_path: Path) -> None:
    short = {"total_steps": 8_000, "eval_interval": 4_000, "embedding_dim": 16}
    trained = baselines.train("steer", "my/Game-v0", env_args={"n": 2}, out=tmp_path / "run", **short)
    assert trained.evaluated.returns.mean() == pytest.approx(0.95)
