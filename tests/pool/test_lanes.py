"""Batches in lanes give the numbers of whole ones, and lanes step while the policy decides for others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from games import assert_same
from hazards import FORBIDDEN, Hazards
from small import SIZES
from traces import trace

from baselines.errors import ConfigError
from baselines.runs.block import Block
from baselines.runs.plan import make_plan
from baselines.training.rollout import Batch
from stmg_envs.errors import InvalidActionError, InvalidArgumentError, InvalidPriorityError
from stmg_envs.pool import PoolVectorEnv
from stmg_envs.protocol import InterleavedVectorEnv, ParallelVectorEnv

SPREAD = "pettingzoo/mpe2.simple_spread_v3"
BATCH = 6


@pytest.fixture
def lanes() -> Iterator[InterleavedVectorEnv]:
    """Six environments in two lanes: two workers step the one, this process the other."""
    env = InterleavedVectorEnv([PoolVectorEnv(Hazards, 3, workers=2), ParallelVectorEnv(Hazards, 3)])
    yield env
    env.close()


def test_lanes_change_no_number(lanes: InterleavedVectorEnv) -> None:
    whole = ParallelVectorEnv(Hazards, BATCH)
    assert_same(trace(lanes, 60), trace(whole, 60))
    orders = torch.tensor([[0, 1], [1, 0]] * 3)
    for env in (lanes, whole):
        env.reset(seed=list(range(10, 16)), options={"priority": orders})
    assert torch.equal(lanes.priority, orders)
    assert_same(lanes.snapshot(), whole.snapshot())


def test_rows_go_to_lanes_in_turn(lanes: InterleavedVectorEnv) -> None:
    lanes.reset(seed=0)
    for number, lane in enumerate(lanes.lanes):
        assert torch.equal(lane.episode_streams.keys, lanes.episode_streams.keys[number::2])
    actions = torch.zeros(BATCH, 2, dtype=torch.int64)
    actions[3] = 1
    totals = lanes.step(actions)[0]["state"][:, 1]
    # What is added besides the actions is below 1.
    assert totals.floor().tolist() == [0, 0, 0, 2, 0, 0]


def test_metrics_of_a_lane_that_is_lost_are_unknown(lanes: InterleavedVectorEnv) -> None:
    lanes.reset(seed=0)
    pool = lanes.lanes[0]
    assert isinstance(pool, PoolVectorEnv)
    for worker in pool.workers:
        worker.process.kill()
        worker.process.join()
    info = lanes.step(torch.zeros(BATCH, 2, dtype=torch.int64))[4]
    assert info["lost"].tolist() == [True, False] * 3
    assert info["metrics"]["total"].isnan().tolist() == [True, False] * 3


def test_mistakes_with_lanes(lanes: InterleavedVectorEnv) -> None:
    with pytest.raises(InvalidArgumentError, match=r"lanes have \[3, 2\] environments"):
        InterleavedVectorEnv([ParallelVectorEnv(Hazards, 3), ParallelVectorEnv(Hazards, 2)])
    with pytest.raises(InvalidArgumentError, match=r"lanes have \[\] environments"):
        InterleavedVectorEnv([])
    with pytest.raises(InvalidPriorityError, match=r"shape \(2,\) or \(6, 2\)"):
        lanes.priority = [[0, 1]] * 3
    lanes.reset(seed=0)
    actions = torch.zeros(BATCH, 2, dtype=torch.int64)
    actions[3, 0] = FORBIDDEN
    with pytest.raises(InvalidActionError, match="environment 1") as caught:
        lanes.step(actions)
    assert caught.value.__notes__ == ["in lane 1 of 2: its environment i is 2 * i + 1 here"]
    whole = ParallelVectorEnv(Hazards, BATCH)
    assert_same(lanes.reset(seed=4), whole.reset(seed=4))


def test_configurations_that_cannot_have_lanes() -> None:
    with pytest.raises(ConfigError, match="lanes=3 does not divide num_envs=4"):
        make_plan("steer", SPREAD, config={"lanes": 3, "num_envs": 4})
    with pytest.raises(ConfigError, match="lanes=2 of stmg/Penalty-v0: a native game"):
        make_plan("steer", "stmg/Penalty-v0", config={"lanes": 2, "num_envs": 4})


def block_of(algorithm: str, lanes: int, workers: int = 0, **config: Any) -> Block:
    short = {"num_envs": 4, "rollout_steps": 12, "eval_episodes": 1, "lanes": lanes}
    plan = make_plan(
        algorithm,
        SPREAD,
        env_args={"max_cycles": 5},
        seeds=2,
        workers=workers,
        priority=config.pop("priority", None),
        config=SIZES[algorithm] | short | config,
    )
    block = Block(plan)
    block.begin()
    return block


def rollouts(made: Block, count: int = 2) -> tuple[list[Batch], list[dict[str, torch.Tensor]]]:
    batches, metrics = zip(
        *(made.collector.collect(made.streams.fold(number), 0.0) for number in range(count)), strict=True
    )
    made.collector.env.close()
    made.evaluation_env.close()
    return list(batches), list(metrics)


@pytest.mark.parametrize(
    ("algorithm", "config"),
    [
        ("steer", {"priority": "random"}),
        ("steer", {"reward_interaction": "dri"}),
        ("mappo", {"recurrent": True, "chunk_length": 4}),
    ],
)
def test_rollouts_in_lanes_are_those_of_the_whole_batch(algorithm: str, config: dict[str, Any]) -> None:
    whole, metrics = rollouts(block_of(algorithm, 1, **config))
    parts, others = rollouts(block_of(algorithm, 2, workers=2, **config))
    # Products of smaller matrices are rounded in other places.
    close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-4, equal_nan=True)
    close([vars(batch) for batch in parts], [vars(batch) for batch in whole])
    close(others, metrics)


def test_a_lane_steps_while_the_policy_decides_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = block_of("steer", 2, rollout_steps=2)
    told: list[str] = []
    act = made.population.act

    def decide(*arguments: Any) -> Any:
        told.append("decide")
        return act(*arguments)

    monkeypatch.setattr(made.population, "act", decide)
    for number, lane in enumerate(made.collector.env.lanes):
        for name in ("send", "receive"):
            call = getattr(lane, name)

            def telling(*arguments: Any, call: Any = call, event: str = f"{name} {number}") -> Any:
                told.append(event)
                return call(*arguments)

            monkeypatch.setattr(lane, name, telling)
    rollouts(made, 1)
    first = ["decide", "send 0", "decide", "send 1"]
    then = ["receive 0", "decide", "send 0", "receive 1", "decide", "send 1"]
    assert told == [*first, *then, "receive 0", "receive 1", "decide", "decide"]
