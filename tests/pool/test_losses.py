"""Workers that die or hang: what they did is lost and said to be, everything else goes on."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from games import assert_same
from hazards import CRASH, HANG, Hazards
from processes import shared_memory

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.pool import PoolVectorEnv, WorkerError
from stmg_envs.pool.vector import STARTING_SECONDS
from stmg_envs.protocol import ParallelVectorEnv, Streams

BATCH = 4
SAFE = torch.ones(BATCH, 2, dtype=torch.int64)
OF_THE_FIRST = [True, True, False, False]
"""Environments of the first of two workers."""


@pytest.fixture
def pool() -> Iterator[PoolVectorEnv]:
    """Four environments whose episodes take six steps, in two workers that must answer in five seconds."""
    env = PoolVectorEnv(lambda: Hazards(6), BATCH, workers=2, timeout=5.0)
    yield env
    env.close()


def act(env: PoolVectorEnv, hazard: int) -> Any:
    """A step in which an agent of environment 1 does something dangerous."""
    actions = SAFE.clone()
    actions[1, 1] = hazard
    return env.step(actions)


def crash(env: PoolVectorEnv) -> Any:
    return act(env, CRASH)


def hang(env: PoolVectorEnv) -> Any:
    return act(env, HANG)


def kill_before(env: PoolVectorEnv) -> Any:
    """SIGKILL while nothing is asked of the worker."""
    os.kill(env.workers[0].process.pid or 0, signal.SIGKILL)
    return env.step(SAFE)


def kill_within(env: PoolVectorEnv) -> Any:
    """SIGKILL in the middle of a step, which may be done by then."""
    actions = SAFE.clone()
    actions[0, 1] = HANG
    env.send(actions)
    os.kill(env.workers[0].process.pid or 0, signal.SIGKILL)
    return env.receive()


@pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (crash, "was ended by SIGSEGV"),
        (hang, "gave no answer in 5 s"),
        (kill_before, "was ended by SIGKILL"),
        (kill_within, "was ended by SIGKILL"),
    ],
)
def test_lost_episodes_are_told_and_the_next_ones_begin(
    pool: PoolVectorEnv,
    caplog: pytest.LogCaptureFixture,
    lose: Callable[[PoolVectorEnv], Any],
    reason: str,
) -> None:
    twin = ParallelVectorEnv(lambda: Hazards(6), BATCH)
    for env in (pool, twin):
        env.reset(seed=11)
        env.step(SAFE)
    before, *_ = pool.step(SAFE)
    twin.step(SAFE)
    with caplog.at_level(logging.WARNING):
        observations, rewards, terminated, truncated, info = lose(pool)
    assert f"stmg worker 0 (environments 0..1) {reason}" in caplog.text
    assert info["lost"].tolist() == truncated.tolist() == OF_THE_FIRST
    assert not terminated.any()
    kept = ~info["lost"]
    # Nothing is made up: no reward, no metrics, and the last observation is the one before the step.
    assert not rewards[info["lost"]].any()
    assert info["metrics"]["total"].isnan().tolist() == OF_THE_FIRST
    for name, value in info["final"].items():
        assert torch.equal(value[info["lost"]], before[name][info["lost"]])
    # The others do not notice.
    others, paid, _, _, told = twin.step(SAFE)
    assert torch.equal(rewards[kept], paid[kept])
    for name, value in others.items():
        assert torch.equal(observations[name][kept], value[kept])
        assert torch.equal(info["final"][name][kept], told["final"][name][kept])
    # The lost environments play the episodes that would have come next.
    following = ParallelVectorEnv(lambda: Hazards(6), BATCH)
    following.reset(seed=11)
    fresh, _ = following.reset()
    for _ in range(3):
        for name, value in fresh.items():
            assert torch.equal(observations[name][:2], value[:2])
        observations, rewards, _, _, info = pool.step(SAFE)
        fresh, paid, *_ = following.step(SAFE)
        assert torch.equal(rewards[:2], paid[:2])
        assert not info["lost"].any()
    assert torch.equal(pool.episode_streams.keys[:2], following.episode_streams.keys[:2])


def test_a_worker_that_dies_in_a_reset_loses_nothing(pool: PoolVectorEnv) -> None:
    pool.reset(seed=0)
    os.kill(pool.workers[1].process.pid or 0, signal.SIGKILL)
    twin = ParallelVectorEnv(lambda: Hazards(6), BATCH)
    assert_same(pool.reset(seed=3), twin.reset(seed=3))
    assert_same(pool.step(SAFE), twin.step(SAFE))


def test_all_workers_may_be_lost_at_once(pool: PoolVectorEnv) -> None:
    pool.reset(seed=0)
    for worker in pool.workers:
        os.kill(worker.process.pid or 0, signal.SIGKILL)
    _, rewards, _, truncated, info = pool.step(SAFE)
    assert info["lost"].all() and truncated.all() and not rewards.any()
    assert info["metrics"] == {}
    assert not pool.step(SAFE)[-1]["lost"].any()


def test_what_is_lost_again_and_again_is_given_up(
    pool: PoolVectorEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stmg_envs.pool.vector.MAX_LOSSES", 4)
    pool.reset(seed=0)
    for _ in range(3):
        crash(pool)
    # An episode that ends shows that there is hope.
    for _ in range(6):
        pool.step(SAFE)
    for _ in range(3):
        crash(pool)
    with pytest.raises(WorkerError, match=r"environment 0 was lost 4 times .* SIGSEGV; run with workers=0"):
        crash(pool)
    with pytest.raises(InvalidArgumentError, match="closed"):
        pool.reset()


def fail() -> None:
    raise InvalidArgumentError("there is no licence")


def test_environments_that_workers_cannot_make() -> None:
    maker = os.getpid()

    def unmakable(fail: Callable[[], object]) -> Hazards:
        if os.getpid() != maker:
            fail()
        return Hazards()

    with pytest.raises(InvalidArgumentError, match="there is no licence"):
        PoolVectorEnv(lambda: unmakable(fail), 2, workers=2)
    with pytest.raises(
        WorkerError, match=r"ended with exit code 3 while it made its environments .*__main__"
    ):
        PoolVectorEnv(lambda: unmakable(lambda: os._exit(3)), 2, workers=1)


def test_shared_memory_has_no_name_that_could_stay() -> None:
    before = shared_memory()
    env = PoolVectorEnv(Hazards, 2, workers=1)
    assert shared_memory() == before
    env.close()


def test_a_pool_ends_with_its_object() -> None:
    env = PoolVectorEnv(Hazards, 2, workers=2)
    processes = [worker.process for worker in env.workers]
    del env
    assert not any(process.is_alive() for process in processes)


def test_a_lost_episode_counts_as_one(pool: PoolVectorEnv) -> None:
    pool.reset(seed=2)
    crash(pool)
    streams = Streams.from_seeds(range(2, 2 + BATCH))
    episodes = torch.tensor([1, 1, 0, 0])
    assert torch.equal(pool.episode_streams.keys, streams.fold(-1, episodes).keys)


class Restarted(Hazards):
    """Something happens to the process that makes these environments a second time, and to no later one."""

    def __init__(self, folder: str, number: int) -> None:
        super().__init__(6)
        made = len(os.listdir(folder))
        descriptor, _ = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        # After the example and all environments that the workers made at first.
        if made == 1 + BATCH:
            os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, "was ended by SIGKILL"), (signal.SIGSTOP, "gave no answer in {limit:g} s")],
)
def test_a_worker_that_is_lost_while_it_starts_again_is_one_more_loss(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, number: int, reason: str
) -> None:
    env = PoolVectorEnv(lambda: Restarted(str(tmp_path), number), BATCH, workers=2, timeout=2.0)
    env.reset(seed=0)
    # Not the minutes that a first start gets.
    limit = 2.0 + env._starting
    assert limit < STARTING_SECONDS / 2
    with caplog.at_level(logging.WARNING):
        *_, info = crash(env)
    assert info["lost"].tolist() == OF_THE_FIRST
    crashed, restarted = caplog.messages
    assert "was ended by SIGSEGV" in crashed and reason.format(limit=limit) in restarted
    *_, info = env.step(SAFE)
    assert "lost" not in info or not info["lost"].any()
    env.close()
