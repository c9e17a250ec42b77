"""Seeds are trained in blocks; where they are computed, and in how many processes, changes nothing."""

from __future__ import annotations

import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from small import SIZES

import baselines
from baselines.errors import ConfigError, RunDirectoryError, TrainingProcessError
from baselines.runs import blocks
from baselines.runs.blocks import BlocksHere, block_plans
from baselines.runs.directory import RunDirectory
from baselines.runs.interrupt import Stopped
from baselines.runs.plan import make_plan
from baselines.runs.trainer import Progress, Trainer
from baselines.training.checkpoint import load_checkpoint
from stmg_envs.errors import InvalidArgumentError, NotFiniteError

SHORT = {"num_envs": 2, "rollout_steps": 4, "total_steps": 80, "eval_interval": 24, "eval_episodes": 2}
"""Ten updates, evaluated after every third."""


@pytest.fixture(autouse=True)
def two_seeds_per_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 2)


def train(path: Path, processes: int = 1, seeds: int = 5, **what: Any) -> Path:
    config = SIZES["mappo"] | SHORT | what
    run = baselines.train("mappo", "stmg/Mixing-v0", seeds=seeds, out=path, processes=processes, **config)
    return run.path


def record(path: Path) -> tuple[dict[str, torch.Tensor], Any, Any, list[str]]:
    """All that a run directory says of a training but for the time that it took."""
    results = json.loads((path / "results.json").read_text())
    for evaluations in results["stmg"]["mixing"]["mappo"].values():
        for evaluation in evaluations.values():
            del evaluation["elapsed_time"]
    rows = [line.split(",") for line in (path / "metrics.csv").read_text().splitlines()]
    tensors, _ = load_checkpoint(path / "checkpoint.safetensors")
    plays = json.loads((path / "plays.json").read_text())
    return tensors, results, plays, [",".join([step, *rest]) for step, _, *rest in rows]


def assert_same(one: Path, other: Path) -> None:
    (tensors, *files), (others, *other_files) = record(one), record(other)
    assert files == other_files
    assert tensors.keys() == others.keys()
    for name, x in tensors.items():
        assert torch.equal(x, others[name]), name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", 2)
        return train(tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.parametrize("processes", [2, 3, 16])
def test_any_number_of_processes_makes_the_same_run(
    processes: int, uninterrupted: Path, tmp_path: Path
) -> None:
    assert_same(train(tmp_path / "run", processes), uninterrupted)


def test_a_block_is_trained_as_if_it_were_alone(tmp_path: Path, uninterrupted: Path) -> None:
    tensors = record(uninterrupted)[0]
    alone = record(train(tmp_path / "run", seeds=2))[0]
    for name, x in alone.items():
        assert torch.equal(x, tensors[name][: len(x)] if x.dim() else tensors[name]), name


def test_plans_of_blocks_are_cut_by_seeds_alone() -> None:
    plan = make_plan("mappo", "stmg/Mixing-v0", seeds=[9, 3, 5])
    assert [block.seeds for block in block_plans(plan)] == [(9, 3), (5,)]


@pytest.mark.parametrize("algorithm", SIZES)
def test_every_algorithm_goes_on_in_other_processes_where_it_stopped(algorithm: str) -> None:
    config = SIZES[algorithm] | SHORT
    plan = make_plan(algorithm, "stmg/Mixing-v0", seeds=5, priority="random", config=config)
    whole = BlocksHere(block_plans(plan))
    whole.begin()
    first = list(whole.advance(2, lambda: False))
    assert all(x.shape == (5,) for metrics in first for x in metrics.values())
    parts = BlocksHere(block_plans(plan))
    parts.load(whole.state(), 2)
    then, again = (list(some.advance(4, lambda: False)) for some in (whole, parts))
    for metrics, others in zip(then, again, strict=True):
        torch.testing.assert_close(metrics, others, rtol=0, atol=0, equal_nan=True)
    state = parts.state()
    for name, x in whole.state().items():
        assert torch.equal(x, state[name]), name


def test_a_stop_ends_all_processes_after_the_same_update_and_the_run_goes_on(
    tmp_path: Path, uninterrupted: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 32:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as interrupt:
        train(tmp_path / "run", processes=2, watch=stop)
    (stopped,) = interrupt.value.args
    assert isinstance(stopped, Stopped)
    # Processes do not wait for each other between evaluations; all go up to the foremost.
    assert stopped.step in (32, 40, 48) and stopped.total_steps == 80
    _, progress = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert progress["updates"] * 8 == stopped.step
    resumed = baselines.resume(tmp_path / "run", processes=3)
    assert resumed.steps == 80
    assert_same(resumed.path, uninterrupted)


def test_a_process_that_is_killed_is_named_and_the_run_goes_on(tmp_path: Path, uninterrupted: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.step == 32:
            next(
                child for child in multiprocessing.active_children() if child.name.endswith("seeds 2..4")
            ).kill()

    with pytest.raises(
        TrainingProcessError, match=r"that trains seeds 2\.\.4 was ended by SIGKILL; .*resume the run"
    ):
        train(tmp_path / "run", processes=2, watch=kill)
    assert not [child for child in multiprocessing.active_children() if "stmg train" in child.name]
    assert_same(baselines.resume(tmp_path / "run").path, uninterrupted)


def test_what_goes_wrong_in_a_process_is_said_here(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError, match="is not finite after the update at step 8"):
        train(tmp_path / "run", processes=2, learning_rate=1e38)
    # The metrics of that update are there, as they show where it began.
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 1 + 5


def test_a_goal_is_one_of_all_blocks(tmp_path: Path) -> None:
    ends = [
        baselines.train(
            "mappo",
            "stmg/Mixing-v0",
            seeds=4,
            out=tmp_path / str(processes),
            processes=processes,
            goal="return=-100",
            **SIZES["mappo"] | SHORT,
        ).steps
        for processes in (1, 2)
    ]
    assert ends[0] == ends[1] < 80


def test_processes_step_engines_in_processes_of_their_own(tmp_path: Path) -> None:
    config = SIZES["mappo"] | SHORT | {"total_steps": 8}
    run = baselines.train(
        "mappo", "gymnasium/CartPole-v1", seeds=3, workers=1, processes=2, out=tmp_path / "run", **config
    )
    assert run.evaluated.returns.shape == (3, 2, 1)


def test_a_number_of_processes_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="processes=0"):
        train(tmp_path / "run", processes=0)
    assert not (tmp_path / "run").exists()


def test_a_run_is_resumed_by_its_directory_alone(tmp_path: Path, uninterrupted: Path) -> None:
    train(tmp_path / "run", total_steps=48)
    longer = baselines.resume(tmp_path / "run", total_steps=80)
    assert longer.steps == 80 and longer.plan.config.total_steps == 80
    tensors, others = (load_checkpoint(p / "checkpoint.safetensors")[0] for p in (longer.path, uninterrupted))
    assert tensors.keys() == others.keys()
    with pytest.raises(RunDirectoryError, match="total_steps=8 is less than 80"):
        baselines.resume(tmp_path / "run", total_steps=8)
    with pytest.raises(RunDirectoryError, match=r"has no run\.json"):
        baselines.resume(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="goal='high' is not accepted"):
        baselines.resume(tmp_path / "run", goal="high")
    with pytest.raises(RunDirectoryError, match="is a published policy without its training"):
        baselines.resume("zoo/steer-penalty")


def test_the_learner_of_one_block_can_be_looked_into(tmp_path: Path) -> None:
    plan = make_plan("mappo", "stmg/Mixing-v0", seeds=2, config=SIZES["mappo"] | SHORT)
    directory = RunDirectory(tmp_path / "run")
    directory.create(plan)
    trainer = Trainer(plan, directory)
    update, seen = trainer.learner.update, []

    def looking(batch: Any, *rest: Any) -> Any:
        seen.append(batch.returns.shape)
        return update(batch, *rest)

    trainer.learner.update = looking  # type: ignore[method-assign]
    trainer.run()
    # Two runs, four timesteps of two environments as one axis, two agents.
    assert seen == [(2, 8, 2)] * 10
    several = Trainer(plan, directory, blocks=BlocksHere([plan, plan]))
    with pytest.raises(ConfigError, match="expected one block, in this process"):
        several.learner  # noqa: B018
