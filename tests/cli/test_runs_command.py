from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import SIZES

import baselines
from baselines.cli import main
from baselines.evaluation.overview import contrast, list_runs
from baselines.runs.trainer import Progress

PENALTY = "stmg/Penalty-v0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, one that was stopped half way, and one that is damaged."""
    folder = tmp_path_factory.mktemp("runs")

    def stop(progress: Progress) -> None:
        if progress.step >= 500:
            raise KeyboardInterrupt

    for k, name in ((-100, "hard"), (0, "easy")):
        baselines.train(
            "mappo",
            PENALTY,
            env_args={"k": k},
            seeds=3,
            total_steps=1000,
            out=folder / name,
            **SIZES["mappo"],
        )
    with pytest.raises(KeyboardInterrupt):
        baselines.train(
            "steer", PENALTY, total_steps=1000, out=folder / "stopped", watch=stop, **SIZES["steer"]
        )
    (folder / "damaged").mkdir()
    (folder / "damaged" / "run.json").write_text("{")
    return folder


def stmg_runs(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["runs", *arguments], terminal_width=200)
    assert result.exit_code == 0, result.output
    return result.output


def test_runs_are_listed_with_what_became_of_them(folder: Path) -> None:
    damaged, easy, hard, stopped = list_runs(folder)
    assert (easy.algorithm, easy.task, easy.seeds, easy.done) == (
        "mappo",
        "penalty(k=0)",
        "0-2",
        "100\u00a0%",
    )
    results = json.loads((folder / "easy" / "results.json").read_text())["stmg"]["penalty(k=0)"]["mappo"]
    returns = [run["absolute_metrics"]["return"][0] for run in results.values()]
    assert easy.results["return"].startswith(f"{sum(returns) / 3:.4g}")
    assert hard.task == "penalty(k=-100)"
    assert stopped.done == "50\u00a0%"
    assert "is no JSON" in damaged.problem
    listed = stmg_runs("list", str(folder))
    assert "penalty(k=-100)" in listed and "cannot be read" in listed
    assert "no runs below" in stmg_runs("list", str(folder / "easy" / "tensorboard"))


def test_runs_are_set_beside_each_other(folder: Path) -> None:
    found = contrast([folder / "hard", folder / "stopped"])
    assert found.settings["algorithm"] == ("mappo", "steer")
    assert found.settings["env_args.k"] == ("-100", "-")
    assert found.settings["seeds"] == ("[0, 1, 2]", "[0]")
    assert "config.total_steps" not in found.settings
    assert set(found.metrics) == {"return", "optimal"}
    assert not contrast([folder / "easy", folder / "easy"]).settings
    assert "config.embedding_dim" in stmg_runs("compare", str(folder / "easy"), str(folder / "stopped"))
