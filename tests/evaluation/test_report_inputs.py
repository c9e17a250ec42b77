"""Reading run directories: arrays as written, and one clear error for whatever is broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import Metrics, make_run

from baselines.errors import RunDirectoryError
from baselines.evaluation.final_table import final_table
from baselines.evaluation.report import read_run
from baselines.evaluation.results import ResultsFile
from stmg_envs.errors import InvalidArgumentError, STMGError
from stmg_envs.matrix import Penalty


def evaluate(seed: int, step: int) -> Metrics:
    return {"return": [float(seed), step / 200.0], "optimal": [0.0]}


def final(seed: int) -> Metrics:
    return {"return": [seed + 0.0, seed + 1.0, seed + 2.0], "optimal": [1.0]}


def finished(directory: Path) -> Path:
    return make_run(
        directory,
        seeds=(3, 8),
        evaluate=evaluate,
        final=final,
        plays=lambda seed: ([[0.0, 2.0]], [10.0, float(seed)]),
    )


def test_everything_is_read(tmp_path: Path) -> None:
    run = read_run(finished(tmp_path / "run"))
    assert run.task == "penalty(k=-100)" and run.manifest.algorithm == "steer"
    assert isinstance(run.game, Penalty) and run.game.k == -100
    evaluations = run.evaluations
    np.testing.assert_array_equal(evaluations.steps, [0, 100, 200])
    np.testing.assert_array_equal(evaluations.curves["return"], [[1.5, 1.75, 2], [4, 4.25, 4.5]])
    assert evaluations.final is not None and evaluations.final_episodes == 3
    np.testing.assert_array_equal(evaluations.final["return"], [4, 9])
    assert evaluations.elapsed == 100.0
    np.testing.assert_array_equal(run.metrics["step"], [100, 100, 200, 200])
    np.testing.assert_array_equal(run.metrics["seed"], [3, 8, 3, 8])
    assert run.plays is not None
    assert [play.returns for play in run.plays] == [[10, 3], [10, 8]]


def test_steps_are_ordered_by_their_count(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", seeds=[0], steps=range(0, 1300, 100), evaluate=evaluate)
    text = json.loads((directory / "results.json").read_text())
    (directory / "results.json").write_text(json.dumps(text, sort_keys=True))
    np.testing.assert_array_equal(read_run(directory).evaluations.steps, np.arange(0, 1300, 100))


def test_runs_in_progress(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "run", steps=(0, 100), evaluate=evaluate))
    assert run.evaluations.final is None and run.plays is None
    fresh = read_run(make_run(tmp_path / "fresh", steps=(0,), evaluate=evaluate))
    assert fresh.metrics == {}


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    with (directory / "metrics.csv").open("a") as file:
        file.write("300,150,3,0.1")
    assert len(read_run(directory).metrics["step"]) == 4


def test_metrics_that_are_no_numbers_are_read_as_nan(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", evaluate=evaluate, train=lambda *_: {"episode_return": math.nan})
    assert np.isnan(read_run(directory).metrics["episode_return"]).all()


def test_no_run_directory(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RunDirectoryError, match=r"no run directory.*stmg train"):
            read_run(path)


def edit(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        data = json.loads((directory / name).read_text())
        change(data)
        (directory / name).write_text(json.dumps(data))

    return apply


def replace(name: str, text: str | bytes | None) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        if text is None:
            (directory / name).unlink()
        else:
            (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return apply


def runs(data: dict) -> dict:
    return data["stmg"]["penalty(k=-100)"]["steer"]


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (replace("run.json", "{"), "run.json"),
        (replace("run.json", "[]"), "run.json"),
        (replace("run.json", b"\xff\xfe"), "run.json"),
        (edit("run.json", lambda data: data.pop("config")), "config"),
        (edit("run.json", lambda data: data.update(seeds=[])), "seeds"),
        (edit("run.json", lambda data: data.update(seeds=[3, 8, 9])), "seed_9"),
        (edit("run.json", lambda data: data.update(algorithm="mat")), "runs [] of mat on penalty(k=-100)"),
        (replace("results.json", None), "results.json"),
        (replace("results.json", ""), "results.json"),
        (replace("results.json", "null"), "results.json"),
        (edit("results.json", lambda data: runs(data)["seed_3"].pop("step_1")), "same steps"),
        (
            edit("results.json", lambda data: runs(data)["seed_3"]["step_1"].pop("return")),
            "expected those of",
        ),
        (edit("results.json", lambda data: runs(data)["seed_3"]["step_1"].update(optimal=[])), "optimal"),
        (
            edit("results.json", lambda data: runs(data)["seed_8"]["step_2"].pop("optimal")),
            "expected those of",
        ),
        (edit("results.json", lambda data: runs(data)["seed_8"]["absolute_metrics"].clear()), "metrics []"),
        (edit("results.json", lambda data: runs(data)["seed_8"].update(step_0=3)), "step_0"),
        (replace("metrics.csv", None), "metrics.csv"),
        (replace("metrics.csv", ""), "metrics.csv"),
        (replace("metrics.csv", "step,elapsed,seed,loss\n1,2,3\n"), "metrics.csv"),
        (replace("metrics.csv", "step,elapsed,seed\n1,two,3\n"), "metrics.csv"),
        (replace("metrics.csv", "step,seed\n1,3\n"), "no elapsed"),
        (replace("plays.json", "{"), "plays.json"),
        (edit("plays.json", lambda data: data.pop("seed_8")), "seed_8"),
        (edit("plays.json", lambda data: data["seed_3"].update(actions=[["up", 1]])), "seed_3.actions"),
    ],
)
def test_broken_files(harm: Callable[[Path], None], named: str, tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    harm(directory)
    with pytest.raises(STMGError) as caught:
        read_run(directory)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"), [({"env_id": "stmg/Penalti-v0"}, "Penalti"), ({"env_args": {"j": 1}}, "j=1")]
)
def test_results_of_another_game_are_named(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    edit("run.json", lambda data: data.update(change))(directory)
    with pytest.raises(STMGError, match=named):
        read_run(directory)


def test_errors_of_broken_files_say_what_to_do(tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    (directory / "results.json").write_text("{}")
    with pytest.raises(InvalidArgumentError, match="restore it or train again"):
        read_run(directory)


def test_plays_of_another_game_are_named(tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    edit("plays.json", lambda data: data["seed_3"].update(returns=[1.0]))(directory)
    with pytest.raises(InvalidArgumentError, match=r"plays\.json.*agent_0.*evaluate the run again"):
        final_table(read_run(directory))


@pytest.mark.parametrize("count", [None, "8", [8]])
def test_results_are_continued_only_where_they_say_their_steps(count: Any, tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    edit("results.json", lambda data: runs(data)["seed_3"]["step_1"].update(step_count=count))(directory)
    with pytest.raises(InvalidArgumentError, match=r"results\.json.*step_1.*step_count"):
        ResultsFile(directory / "results.json", "penalty(k=-100)", "steer", (3,), keep_until=300)
