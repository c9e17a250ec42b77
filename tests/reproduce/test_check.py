"""Runs of an archive are trained again, and whatever did not come out again is noticed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from small_experiment import MIXING, PENALTY, SMALL, Titles, run

from baselines.cli.reproduce import command
from baselines.reproduce import check
from baselines.reproduce.archive import Archive
from baselines.reproduce.check import Checker, Sample, Verdict, draw_samples
from baselines.reproduce.experiment import Experiment
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.machine import differences
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.trainer import Progress
from stmg_envs.errors import InvalidArgumentError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the small experiment: seeds 0 to 2 of one cell, 0 and 1 of the other."""
    folder = tmp_path_factory.mktemp("made")
    run(folder, Titles())
    return folder / "results"


@pytest.fixture
def results(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them in a directory of its own, made by an experiment that the command knows."""
    monkeypatch.setitem(EXPERIMENTS, "table1", lambda: SMALL)
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(made, tmp_path / "results")


def call(results: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["table1", "--out", str(results), *arguments])


def rows(called: Result) -> list[tuple[str, int, str]]:
    """Cell, seed and verdict of every line of the table."""
    found = re.findall(r"^ +(.+?)  +(\d+)  +(.+?) *$", called.stdout, re.MULTILINE)
    return [(cell, int(seed), verdict) for cell, seed, verdict in found]


def change(path: Path, edit: Callable[[Any], None]) -> None:
    """Edit a file of JSON."""
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def verdict(archive: Archive, folder: Path, seed: int) -> Verdict:
    (sample,) = [s for s in draw_samples([PENALTY], archive, 3, 0) if s.seed == seed]
    return Checker(archive, folder / "work", Titles().watching).check(sample, "").verdict


def test_everything_comes_out_again_and_nothing_is_written(results: Path) -> None:
    before = {path: path.read_bytes() for path in results.iterdir()}
    called = call(results, "--check", "50", "--check-seed", "4")
    assert called.exit_code == 0, called.output
    expected = [(MIXING.key, seed, "the same") for seed in (0, 1)]
    expected += [(PENALTY.key, seed, "the same") for seed in (0, 1, 2)]
    assert sorted(rows(called)) == expected
    assert "5 of 5 came out again, drawn with --check-seed 4" in called.stdout
    assert {path: path.read_bytes() for path in results.iterdir()} == before
    assert list(results.parent.iterdir()) == [results]


def test_a_changed_number_is_noticed(results: Path) -> None:
    def edit(data: Any) -> None:
        data["stmg"]["mixing"]["mappo"]["seed_1"]["step_1"]["return"][0] += 1e-12

    change(results / "results.json", edit)
    record = {"platform": "Plan9 z80"}
    change(results / "manifest.json", lambda data: data["mixing / mappo"]["blocks"][0].update(record))
    called = call(results, "--check", "2", "--algorithms", "mappo", "--check-seed", "0")
    assert called.exit_code == 1
    assert sorted(rows(called)) == [("mixing / mappo", 0, "the same"), ("mixing / mappo", 1, "differs")]
    assert "1 of 2 came out again" in called.stdout
    assert "not as recorded: platform Plan9 z80, here " in called.stdout


def test_a_difference_that_the_record_does_not_explain(results: Path) -> None:
    def edit(data: Any) -> None:
        data["stmg"]["mixing"]["mappo"]["seed_1"]["absolute_metrics"]["return"][0] += 1e-12

    change(results / "results.json", edit)
    called = call(results, "--check", "2", "--games", "mixing")
    assert called.exit_code == 1
    assert "not as recorded: nothing" in called.stdout


@pytest.mark.parametrize("evaluation", ["step_2", "absolute_metrics"])
def test_a_missing_evaluation_is_noticed(results: Path, tmp_path: Path, evaluation: str) -> None:
    archive = Archive(results)
    del archive.runs(PENALTY)["seed_1"][evaluation]
    assert verdict(archive, tmp_path, 1) is Verdict.DIFFERS


def test_a_missing_run_is_noticed(results: Path, tmp_path: Path) -> None:
    archive = Archive(results)
    del archive.runs(PENALTY)["seed_1"]
    assert verdict(archive, tmp_path, 1) is Verdict.DIFFERS


def test_times_are_not_compared(results: Path, tmp_path: Path) -> None:
    archive = Archive(results)
    for metrics in archive.runs(PENALTY)["seed_1"].values():
        metrics["elapsed_time"] = 1e9
    assert verdict(archive, tmp_path, 1) is Verdict.SAME


def test_a_run_that_hangs_on_its_companions_is_trained_with_them(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[int, ...]] = []

    def train(plan: RunPlan, path: Path, watch: Callable[[Progress], None]) -> RunDirectory:
        """Train, but round what is trained alone otherwise."""
        directory = whole(plan, path, watch)
        trained.append(plan.seeds)
        if len(plan.seeds) == 1:
            alone = {name: {"step_0": {"step_count": 0}} for name in ("seed_0", "seed_1")}
            directory.results.write_text(json.dumps({"stmg": {"mixing": {"mappo": alone}}}))
        return directory

    whole = check.train
    monkeypatch.setattr(check, "train", train)
    archive, titles = Archive(results), Titles()
    checker = Checker(archive, tmp_path / "work", titles.watching)
    samples = sorted(draw_samples([MIXING], archive, 2, 0), key=lambda sample: sample.seed)
    found = [checker.check(sample, "[1/2]").verdict for sample in samples]
    assert found == [Verdict.SAME_IN_BLOCK] * 2
    assert trained == [(0,), (0, 1), (1,)]
    assert titles.seen[1] == "[1/2] mappo on mixing, its block, seeds 0-1"


def test_a_stale_cell_fails_untrained(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(PENALTY, config=PENALTY.config | {"gamma": 0.9})
    monkeypatch.setitem(EXPERIMENTS, "table1", lambda: Experiment("small", "", (changed,)))
    called = call(results, "--check", "1")
    assert called.exit_code == 1
    assert "made with other settings" in called.stdout
    assert called.stderr == ""


def test_a_field_that_the_archive_does_not_know_is_trained_at_its_default(tmp_path: Path) -> None:
    """Not at what the preset of today says: MAPPO's sums rewards in Mixing."""
    own = replace(MIXING, config=MIXING.config | {"reward_interaction": "own"})
    archive = run(tmp_path, Titles(), cells=(own,), runs=1)
    del archive.manifest[own.key]["recipe"]["config"]["reward_interaction"]
    (sample,) = draw_samples([own], archive, 1, 0)
    checker = Checker(archive, tmp_path / "check", Titles().watching)
    assert checker.check(sample, "").verdict is Verdict.SAME


def test_draws_are_a_function_of_the_seed(results: Path) -> None:
    def drawn(seed: int, count: int = 2) -> list[tuple[str, int]]:
        return [(s.cell.key, s.seed) for s in draw_samples(SMALL.cells, Archive(results), count, seed)]

    assert drawn(3) == drawn(3)
    assert {tuple(drawn(seed)) for seed in range(20)} != {tuple(drawn(3))}
    assert len(set(drawn(0, count=9))) == 5


def test_nothing_to_draw_from(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="has no results of these cells"):
        draw_samples(SMALL.cells, Archive(tmp_path / "nowhere"), 1, 0)


def test_threads_are_those_of_the_record_unless_asked_otherwise(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(check.torch, "get_num_threads", lambda: 5)
    monkeypatch.setattr(check.torch, "set_num_threads", seen.append)
    monkeypatch.setattr(Checker, "_train", lambda *_: {"seed_0": {}})
    sample = Sample(PENALTY, 0, Archive(results).blocks(PENALTY)[0] | {"threads": 3})
    for threads in (None, 2):
        Checker(Archive(results), results, Titles().watching, threads).check(sample, "")
    assert seen == [3, 5, 2, 5]


def test_what_a_machine_differs_in() -> None:
    recorded = {"platform": "Linux x86_64", "threads": 1, "versions": {"torch": "2.8", "mujoco": "3.3"}}
    here = recorded | {"processor": "Z80", "threads": 2, "preloaded": [], "versions": {"torch": "2.13"}}
    assert differences(recorded, here) == (
        "processor unknown, here Z80",
        "threads 1, here 2",
        "preloaded unknown, here nothing",
        "torch 2.8, here 2.13",
        "mujoco 3.3, here unknown",
    )
    assert differences(here, here) == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "1", "--runs", "2"], "it goes without --runs"),
        (["--check-seed", "1"], "give --check too"),
        (["--check", "0"], "0 is not in the range x>=1"),
    ],
)
def test_calls_that_make_no_sense(results: Path, arguments: list[str], message: str) -> None:
    called = call(results, *arguments)
    assert called.exit_code == 2
    assert message in called.stderr
