"""Batches are computed with one thread unless somebody says otherwise, and nobody else's threads change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from games import Walk

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import GameVectorEnv, default_threads


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    """Torch as somebody set it up, with a number that nothing here asks for."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With how many threads native games made their steps and showed themselves."""
    threads: list[int] = []
    kind: Any = type(stmg_envs.joint_spaces("stmg/CooperativeHunting-v0"))
    for name in ("step", "observe"):
        method = getattr(kind, name)

        def spy(self: Any, *arguments: Any, method: Any = method) -> Any:
            threads.append(torch.get_num_threads())
            return method(self, *arguments)

        monkeypatch.setattr(kind, name, spy)
    return threads


@pytest.mark.parametrize(
    ("said", "expected"), [(None, 1), ("2", 2), ("4,2", 4), ("", 1), ("many", 1), ("0", 1)]
)
def test_the_default_is_one_or_what_the_environment_says(
    said: str | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert default_threads() == expected


@pytest.mark.parametrize(("threads", "expected"), [(None, 1), (2, 2)])
def test_a_batch_has_threads_of_its_own(
    threads: int | None, expected: int, seen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    env = stmg_envs.vector_env("stmg/CooperativeHunting-v0", 4, threads=threads)
    env.reset(seed=0)
    env.step(torch.zeros(4, 3, 2))
    stream = gymnasium.make_vec("stmg/CooperativeHunting-v0", num_envs=2, threads=threads)
    stream.reset(seed=0)
    for _ in range(3):
        stream.step(np.zeros((2, 2), np.float32))
    assert len(seen) >= 5 and set(seen) == {expected}


def test_learners_batches_use_the_threads_of_the_training() -> None:
    env = GameVectorEnv(Walk(), 2)
    assert env.episodes.threads is None


def test_threads_change_no_number() -> None:
    one, two = (stmg_envs.vector_env("stmg/CooperativeHunting-v0", 3000, threads=n) for n in (1, 2))
    for env in (one, two):
        env.reset(seed=3)
    actions = torch.rand(3000, 3, 2) * 2 - 1
    assert torch.equal(one.step(actions)[1], two.step(actions)[1])


def test_mujoco_steps_with_as_many_threads_of_its_own() -> None:
    pytest.importorskip("mujoco")
    env: Any = stmg_envs.vector_env("stmg/MultiAgentMujoco-v0", 2, threads=2)
    assert env.game.simulation.threads == 2 and env.episodes.threads == 2


def test_what_has_no_threads_says_so() -> None:
    with pytest.raises(InvalidArgumentError, match=r"threads=0.*expected"):
        stmg_envs.vector_env("stmg/Penalty-v0", 2, threads=0)
    pytest.importorskip("highway_env")
    with pytest.raises(InvalidArgumentError, match="threads=2 of stmg/OnRampMerge-v0: an engine's"):
        stmg_envs.vector_env("stmg/OnRampMerge-v0", 2, backend="highway-env", threads=2)
