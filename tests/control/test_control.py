"""Algorithms learn environments that are not ours, to a stated threshold (`make test-slow`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch

import baselines
from baselines.algorithms.registry import algorithm_spec
from wrappers import external_vector_env

pytestmark = pytest.mark.slow

ALGORITHMS = [name for name in baselines.list_algorithms() if algorithm_spec(name).family == name]
"""Those that are no variants: STEER, STEP, MAT, MAPPO, HAPPO, IPPO."""
CARTPOLE_STEPS = 60_000
PENDULUM_THRESHOLD = -300.0
"""A policy that never moves gets -1,200 on average, a good one about -150."""
SPREAD = "pettingzoo/mpe2.simple_spread_v3"
SPREAD_MARGIN = 4.0
"""Above the random policy's return of -26.6, per agent and episode of 25 steps."""


def mean_return(algorithm: str, env_id: str, path: Path, **config: Any) -> float:
    trained = baselines.train(algorithm, env_id, out=path, seeds=1, **config)
    return float(trained.evaluated.returns.mean())


def random_return(env_id: str, episodes: int) -> float:
    """Mean over agents of the uniformly random policy's return in discrete environments."""
    env = external_vector_env(env_id, episodes)
    env.reset(seed=0)
    generator = torch.Generator().manual_seed(0)
    running = torch.ones(episodes, dtype=torch.bool)
    total = torch.zeros(episodes, env.game.n)
    while running.any():
        actions = torch.randint(env.game.action_width, total.shape, generator=generator)
        _, rewards, terminated, truncated, _ = env.step(actions)
        total += rewards * running[:, None]
        running &= ~(terminated | truncated)
    return float(total.mean())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_cartpole_is_solved(tmp_path: Path, algorithm: str) -> None:
    threshold = gymnasium.spec("CartPole-v1").reward_threshold
    assert threshold == 475
    reached = mean_return(algorithm, "gymnasium/CartPole-v1", tmp_path / "run", total_steps=CARTPOLE_STEPS)
    assert reached >= threshold


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pendulum_swings_up(tmp_path: Path, algorithm: str) -> None:
    reached = mean_return(algorithm, "gymnasium/Pendulum-v1", tmp_path / "run", gamma=0.95)
    assert reached >= PENDULUM_THRESHOLD


def test_replay_swings_pendulum_up_in_few_steps(tmp_path: Path) -> None:
    reached = mean_return("ddpg-ind", "gymnasium/Pendulum-v1", tmp_path / "run", total_steps=10_000)
    assert reached >= PENDULUM_THRESHOLD


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_agents_spread_better_than_at_random(tmp_path: Path, algorithm: str) -> None:
    reached = mean_return(algorithm, SPREAD, tmp_path / "run", total_steps=100_000)
    assert reached >= random_return(SPREAD, 64) + SPREAD_MARGIN
