"""Training and evaluation with workers: the results of one process, whatever happens to the workers."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from run_files import without_times
from small import SIZES

import baselines
from baselines.cli import main
from baselines.evaluation.greedy import evaluate_greedy
from baselines.runs.block import Block
from baselines.runs.plan import make_plan
from baselines.runs.trainer import Progress
from baselines.training.checkpoint import load_checkpoint
from baselines.training.population import Population
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import JointVectorEnv, Streams

MERGE, SPREAD = "stmg/OnRampMerge-v0", "pettingzoo/mpe2.simple_spread_v3"
ON_ENGINE = {"backend": "highway-env"}
SHORT: dict[str, Any] = {"num_envs": 2, "rollout_steps": 30, "eval_episodes": 2, "eval_interval": 120}


def assert_same_runs(left: Path, right: Path) -> None:
    for file in ("results.json", "metrics.csv", "plays.json"):
        assert without_times(left / file) == without_times(right / file)
    tensors, others = (load_checkpoint(path / "checkpoint.safetensors")[0] for path in (left, right))
    assert tensors.keys() == others.keys()
    assert all(torch.equal(tensors[name], others[name]) for name in tensors)


@pytest.mark.parametrize(
    ("algorithm", "env_id", "env_args"),
    [
        ("steer", MERGE, ON_ENGINE),
        ("mappo", SPREAD, {"max_cycles": 7}),
        ("dqn-dri", SPREAD, {"max_cycles": 7}),
    ],
)
@pytest.mark.parametrize("lanes", [1, 2])
def test_workers_change_no_result(
    tmp_path: Path, algorithm: str, env_id: str, env_args: dict[str, Any], lanes: int
) -> None:
    config = SIZES.get(algorithm, {}) | SHORT | {"total_steps": 120, "lanes": lanes}
    for workers in (0, 2):
        out = tmp_path / f"{workers}"
        baselines.train(algorithm, env_id, env_args=env_args, seeds=2, out=out, workers=workers, **config)
        assert json.loads((out / "run.json").read_text())["workers"] == workers
    assert_same_runs(tmp_path / "0", tmp_path / "2")
    evaluated = [baselines.evaluate(tmp_path / "2", 3, workers, trust=True).returns for workers in (None, 0)]
    assert np.array_equal(*evaluated)
    assert not multiprocessing.active_children()


def test_a_run_goes_on_with_other_workers(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 120:
            os.kill(os.getpid(), signal.SIGINT)

    config = SIZES["steer"] | SHORT | {"total_steps": 240}
    for name, before, after in (("here", 0, 0), ("there", 2, 1)):
        run = {"env_id": SPREAD, "out": tmp_path / name, **config}
        with pytest.raises(KeyboardInterrupt):
            baselines.train("steer", workers=before, watch=interrupt, **run)
        assert not multiprocessing.active_children()
        baselines.train("steer", workers=after, resume=True, **run)
    assert_same_runs(tmp_path / "here", tmp_path / "there")


def test_an_error_in_the_learner_ends_the_workers(tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        assert multiprocessing.active_children()
        raise ZeroDivisionError

    config = SIZES["steer"] | SHORT | {"total_steps": 240}
    with pytest.raises(ZeroDivisionError):
        baselines.train("steer", SPREAD, workers=2, out=tmp_path / "run", watch=fail, **config)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("algorithm", "env_id", "env_args", "lanes"),
    [
        ("steer", MERGE, ON_ENGINE, 1),
        ("steer", MERGE, ON_ENGINE, 2),
        ("dqn-dri", SPREAD, {"max_cycles": 7}, 1),
    ],
)
def test_training_goes_on_when_workers_are_killed_ten_times_in_a_row(
    tmp_path: Path, algorithm: str, env_id: str, env_args: dict[str, Any], lanes: int
) -> None:
    kills: list[int] = []
    told: list[int] = []

    def kill(progress: Progress) -> None:
        told.append(progress.lost)
        if len(kills) < 10:
            # In turn the two that train and the two that evaluate, each with two environments.
            victim = min(multiprocessing.active_children(), key=lambda process: process.pid or 0)
            os.kill(victim.pid or 0, signal.SIGKILL)
            victim.join()
            kills.append(victim.pid or 0)

    config = SIZES[algorithm] | {
        "num_envs": 4,
        "lanes": lanes,
        "rollout_steps": 10,
        "total_steps": 12 * 40,
        "eval_interval": 12 * 40,
        "eval_episodes": 4,
    }
    run = baselines.train(
        algorithm, env_id, env_args=env_args, workers=2, out=tmp_path / "run", watch=kill, **config
    )
    assert len(set(kills)) == 10
    # The two that evaluate die before episodes begin, which loses none.
    assert np.isfinite(run.evaluated.returns).all()
    assert run.evaluated.lost is not None
    assert run.evaluated.lost.tolist() == [16]
    assert told == sorted(told)
    with (run.path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    trained = sum(float(row["lost_episodes"]) for row in rows)
    assert trained == 16
    assert all(np.isfinite(float(row["value_loss"])) for row in rows[5:])
    results = json.loads((run.path / "results.json").read_text())
    evaluations = results["stmg"][run.plan.task][algorithm]["seed_0"]
    assert evaluations["step_0"]["lost_episodes"] == [0]
    assert evaluations["absolute_metrics"]["lost_episodes"] == [16]
    assert baselines.evaluate(run.path, 1, trust=True).lost.tolist() == [16]  # type: ignore[union-attr]
    assert not multiprocessing.active_children()


class Killing:
    """A batch that kills one of its workers before some steps."""

    def __init__(self, env: Any, steps: tuple[int, ...]) -> None:
        self.env = env
        self.steps = steps
        self.step_count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    @property
    def lanes(self) -> tuple[Any, ...]:
        return (self,)

    def send(self, actions: torch.Tensor) -> None:
        if self.step_count in self.steps:
            os.kill(self.env.workers[0].process.pid, signal.SIGKILL)
        self.step_count += 1
        self.env.send(actions)

    def step(self, actions: torch.Tensor) -> Any:
        self.send(actions)
        return self.env.receive()


def disturbed_block(algorithm: str, steps: tuple[int, ...]) -> Block:
    """Four environments in two workers, of which the first is killed before some steps of the rollout."""
    config = SIZES[algorithm] | {"num_envs": 4, "rollout_steps": 6, "eval_episodes": 1}
    plan = make_plan(algorithm, SPREAD, env_args={"max_cycles": 5}, workers=2, config=config)
    block = Block(plan)
    block.begin()
    block.evaluation_env.close()
    block.collector.env = Killing(block.collector.env, steps)  # type: ignore[assignment]
    return block


def test_rollouts_leave_lost_steps_out() -> None:
    batches = []
    for steps in ((), (3,)):
        block = disturbed_block("steer", steps)
        batch, metrics = block.collector.collect(block.streams, 0.0)
        assert metrics["lost_episodes"].tolist() == [2 * len(steps)]
        batches.append(batch)
        block.collector.env.close()
    calm, disturbed = batches
    alive = disturbed.alive.view(4, 6, -1)
    assert not alive[:2, 3].any()
    assert int((~alive).sum()) == alive[:2, 3].numel()
    advantages = disturbed.advantages.view(4, 6, -1)
    assert not advantages[:2, 3].any()
    assert advantages[:2, 2].all()
    # Until then nothing differs, and for the second worker nothing at all.
    for name in ("actions", "values", "log_probs"):
        left, right = (getattr(batch, name).view(4, 6, -1) for batch in batches)
        assert torch.equal(left[:, :4], right[:, :4])
        assert torch.equal(left[2:], right[2:])
    assert torch.equal(calm.advantages.view(4, 6, -1)[2:], advantages[2:])


def test_replay_does_not_store_lost_steps() -> None:
    block = disturbed_block("dqn-dri", (3, 4))
    buffer, metrics = block.collector.collect(block.streams, 0.0)
    assert metrics["lost_episodes"].tolist() == [4]
    assert buffer.added == 4 * 6 - 4
    block.collector.env.close()


def test_evaluation_plays_lost_episodes_anew() -> None:
    plan = make_plan("steer", SPREAD, env_args={"max_cycles": 5}, workers=2, config=SIZES["steer"])
    spec = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, spec), plan.seeds)
    env = plan.environments(4)
    streams = Streams.from_seeds([3])
    calm = evaluate_greedy(population, env, streams, 4)
    killing: JointVectorEnv = Killing(env, steps=(2, 4))  # type: ignore[assignment]
    disturbed = evaluate_greedy(population, killing, streams, 4)
    assert calm.lost is not None and calm.lost.tolist() == [0]
    assert disturbed.lost is not None and disturbed.lost.tolist() == [4]
    # The second worker's episodes are the same; the first one's are others, and whole.
    assert np.array_equal(calm.returns[:, 2:], disturbed.returns[:, 2:])
    assert (calm.returns[:, :2] != disturbed.returns[:, :2]).all()
    assert len(calm.actions[0]) == len(disturbed.actions[0]) == 5
    env.close()


def test_the_command_line_takes_workers(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in (SIZES["mappo"] | SHORT).items()]
    command = ["train", "mappo", SPREAD, "--out", out, "--workers", "1", "--total-steps", "120", *flags]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert json.loads(Path(out, "run.json").read_text())["workers"] == 1
    again = ["evaluate", out, "--workers", "2", "--episodes", "2", "--trust"]
    assert CliRunner().invoke(main, again).exit_code == 0
    assert CliRunner().invoke(main, ["report", out, "--trust"]).exit_code == 0
    played = baselines.train("mappo", "stmg/Penalty-v0", total_steps=100, out=tmp_path / "native")
    with pytest.raises(InvalidArgumentError, match="workers=2 of stmg/Penalty-v0: a native game"):
        baselines.evaluate(played.path, 2, workers=2)
    native = CliRunner().invoke(main, ["train", "mappo", "stmg/Penalty-v0", "--workers", "2"])
    assert native.exit_code == 2 and "workers=2" in native.output
