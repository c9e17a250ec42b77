"""Environments in workers give the numbers of environments in this process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from games import assert_same
from hazards import FORBIDDEN, LONGEST, Hazards
from traces import trace

import stmg_envs
from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.pool import PoolVectorEnv, WorkerError, engine_batch
from stmg_envs.protocol import ParallelVectorEnv
from wrappers import external_vector_env

BATCH = 5
MERGE = partial(stmg_envs.parallel_env, "stmg/OnRampMerge-v0", backend="highway-env")


@pytest.fixture
def pool() -> Iterator[PoolVectorEnv]:
    """Five environments, in two workers."""
    env = PoolVectorEnv(Hazards, BATCH, workers=2)
    yield env
    env.close()


@pytest.mark.parametrize("workers", [1, 2, 3, 9])
def test_the_number_of_workers_changes_no_number(workers: int) -> None:
    here, there = ParallelVectorEnv(Hazards, BATCH), PoolVectorEnv(Hazards, BATCH, workers=workers)
    assert len(there.workers) == min(workers, BATCH)
    assert_same(trace(there, 60), trace(here, 60))
    there.close()


def test_whole_episodes_on_an_engine_are_the_same() -> None:
    here, there = (engine_batch(MERGE, 2, workers=workers) for workers in (0, 2))
    assert_same(trace(there, 303), trace(here, 303))
    there.close()


def test_ids_take_workers() -> None:
    for make in (
        partial(stmg_envs.vector_env, "stmg/OnRampMerge-v0", 2, backend="highway-env"),
        partial(external_vector_env, "gymnasium/CartPole-v1", 2),
        partial(external_vector_env, "pettingzoo/mpe2.simple_spread_v3", 2, max_cycles=5),
    ):
        here, there = make(), make(workers=1)
        assert isinstance(here, ParallelVectorEnv)
        assert isinstance(there, PoolVectorEnv)
        assert_same(trace(there, 12), trace(here, 12))
        there.close()


def test_final_observations_are_those_of_the_last_state(pool: PoolVectorEnv) -> None:
    pool.reset(seed=0)
    endings = 0
    for _ in range(2 * LONGEST):
        observations, _, terminated, truncated, info = pool.step(torch.zeros(BATCH, 2, dtype=torch.int64))
        ended = terminated | truncated
        endings += int(ended.sum())
        final = info["final"]
        assert (final["observation"][ended, 1, 0] >= 3).all()
        assert (observations["observation"][ended, :, 0] == torch.tensor([0, 1])).all()
        assert torch.equal(final["observation"][~ended], observations["observation"][~ended])
        assert not info["lost"].any()
    assert endings > BATCH


def test_the_caller_may_work_while_environments_step(pool: PoolVectorEnv) -> None:
    twin = ParallelVectorEnv(Hazards, BATCH)
    actions = torch.ones(BATCH, 2, dtype=torch.int64)
    for env in (pool, twin):
        env.reset(seed=1)
        env.send(actions)
        # What was sent is no longer the caller's to change.
        actions = actions.clone()
    assert_same(pool.receive(), twin.receive())


def test_sending_and_receiving_alternate(pool: PoolVectorEnv) -> None:
    actions = torch.zeros(BATCH, 2, dtype=torch.int64)
    with pytest.raises(InvalidArgumentError, match=r"call reset\(\) first"):
        pool.send(actions)
    pool.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match="call send"):
        pool.receive()
    pool.send(actions)
    for call in (lambda: pool.send(actions), pool.neighbors, pool.snapshot):
        with pytest.raises(InvalidArgumentError, match=r"call receive\(\) first"):
            call()
    # A reset forgets the step.
    again = ParallelVectorEnv(Hazards, BATCH)
    again.reset(seed=0)
    assert_same(pool.reset(seed=5), again.reset(seed=5))


@pytest.mark.parametrize("actions", [torch.zeros(BATCH, 2), torch.zeros(BATCH, 1, dtype=torch.int64)])
def test_actions_of_another_kind_are_refused(pool: PoolVectorEnv, actions: torch.Tensor) -> None:
    pool.reset(seed=0)
    with pytest.raises(InvalidActionError, match=r"expected integers of shape \(5, 2\)"):
        pool.step(actions)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_says_which_environment_raised_it(workers: int) -> None:
    env = engine_batch(Hazards, BATCH, workers=workers)
    env.reset(seed=0)
    actions = torch.zeros(BATCH, 2, dtype=torch.int64)
    actions[3, 1] = FORBIDDEN
    with pytest.raises(InvalidActionError, match=r"^environment 3: action 2 of b is forbidden"):
        env.step(actions)
    fresh = ParallelVectorEnv(Hazards, BATCH)
    assert_same(env.reset(seed=4), fresh.reset(seed=4))
    env.close()


class Stubborn(Hazards):
    """Cannot be reset; what it says of that cannot be sent to other processes."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        class UnknownElsewhereError(Exception):
            pass

        raise UnknownElsewhereError("no")


def test_an_error_that_cannot_be_sent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    env = PoolVectorEnv(Stubborn, 1, workers=1)
    with pytest.raises(WorkerError, match="UnknownElsewhereError: environment 0: no") as caught:
        env.reset(seed=0)
    assert "in reset" in "".join(caught.value.__notes__)
    env.close()


def test_mistakes() -> None:
    for arguments, message in (
        ({"num_envs": 0}, "num_envs=0"),
        ({"workers": -1}, "workers=-1"),
        ({"workers": 1.5}, r"workers=1\.5"),
        ({"workers": 1, "worker_timeout": 0}, "timeout=0"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            engine_batch(Hazards, **{"num_envs": 2, **arguments})  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="workers=2 of stmg/Penalty-v0: a native game"):
        stmg_envs.vector_env("stmg/Penalty-v0", 2, workers=2)


def test_a_closed_pool_says_so(pool: PoolVectorEnv) -> None:
    pool.reset(seed=0)
    pool.close()
    pool.close()
    with pytest.raises(InvalidArgumentError, match="closed"):
        pool.reset(seed=0)
    assert all(not worker.process.is_alive() for worker in pool.workers)


def test_environments_may_be_made_by_anything(pool: PoolVectorEnv) -> None:
    longest = 2 + int(np.sqrt(9))
    env = PoolVectorEnv(lambda: Hazards(longest), 2, workers=1)
    env.reset(seed=0)
    for step in range(1, 6):
        _, _, terminated, _, _ = env.step(torch.zeros(2, 2, dtype=torch.int64))
        assert bool(terminated.all()) == (step == 5)
    env.close()


class Interrupting(Hazards):
    """Interrupts a process in the third step of an episode."""

    def __init__(self, target: int) -> None:
        super().__init__(LONGEST)
        self.target = target

    def step(self, actions: dict[str, Any]) -> Any:
        if self.clock == 2:
            os.kill(self.target, signal.SIGINT)
            # The step is not over before the interrupt has come.
            time.sleep(0.2)
        return super().step(actions)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_step_that_was_interrupted_is_forgotten_by_a_reset(workers: int) -> None:
    env = engine_batch(partial(Interrupting, os.getpid()), 1, workers=workers)
    twin = ParallelVectorEnv(partial(Hazards, LONGEST), 1)
    actions = torch.zeros(1, 2, dtype=torch.int64)
    for seed in (1, 2, 3):
        assert_same(env.reset(seed=seed), twin.reset(seed=seed))
        for _ in range(2):
            assert_same(env.step(actions), twin.step(actions))
        with pytest.raises(KeyboardInterrupt):
            env.step(actions)
    env.close()


def test_workers_may_be_fresh_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    here, there = ParallelVectorEnv(Hazards, 2), PoolVectorEnv(Hazards, 2, workers=1)
    assert there.workers[0].process.__class__.__name__ == "SpawnProcess"
    assert_same(trace(there, 20), trace(here, 20))
    there.close()
