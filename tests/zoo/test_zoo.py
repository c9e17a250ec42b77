"""The zoo: every policy in it is what its results say, and new ones come from runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from small import SIZES

import baselines
import stmg_envs
from baselines.cli import main
from baselines.errors import CheckpointError, RunDirectoryError
from baselines.evaluation.results import BOOKKEEPING
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.zoo import ZOO, zoo_entries
from baselines.storage import read_json, write_json
from baselines.training.checkpoint import load_checkpoint
from stmg_envs.errors import InvalidArgumentError, MissingEngineError

ROOT = Path(__file__).parents[2]
EPISODES = 20
"""Of those behind the committed results; engines are slow."""
COMMITTED = [directory.path.name for directory in zoo_entries() if directory.path.parent == ROOT / ZOO]


def stmg(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments), terminal_width=200)
    assert result.exit_code == 0, result.output
    return result.output


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", COMMITTED)
def test_every_policy_plays_as_its_results_say(name: str) -> None:
    directory = RunDirectory(ROOT / ZOO / name)
    before = files_of(directory.path)
    (tasks,) = read_json(directory.results).values()
    ((_, runs),) = next(iter(tasks.values())).items()
    (said,) = (run["absolute_metrics"] for run in runs.values())
    try:
        evaluated = baselines.evaluate(f"zoo/{name}", EPISODES)
    except MissingEngineError as error:
        pytest.skip(str(error))
    found = evaluated.as_metrics(0)
    assert found.keys() == said.keys() - BOOKKEEPING
    for metric in found:
        values = said[metric]
        # The first episodes are the same however many are played; but products differ between processors by
        # rounding, which now and then tips a decision, and makes other episodes of a robot's.
        first = values[: len(found[metric])]
        error = np.std(values) * np.sqrt(2 / len(first))
        assert abs(np.mean(found[metric]) - np.mean(first)) <= 3 * error + 1e-4, metric
    assert files_of(directory.path) == before


@pytest.mark.parametrize("name", COMMITTED)
def test_an_entry_says_how_it_was_made_and_holds_nothing_else(name: str) -> None:
    directory = RunDirectory(ROOT / ZOO / name)
    manifest = read_json(directory.manifest)
    assert manifest["command"] and manifest["published"]["command"].startswith("stmg zoo add ")
    assert manifest["commit"] and manifest["versions"]["torch"]
    tensors, progress = load_checkpoint(directory.checkpoint)
    assert all(name.startswith("policy.") for name in tensors)
    assert progress["seeds"] == manifest["seeds"]
    film = f"{name}.gif"
    assert files_of(directory.path).keys() - {film} == {
        "run.json",
        "results.json",
        "plays.json",
        "checkpoint.safetensors",
    }


def test_a_list_of_the_zoo_needs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(plan: RunPlan) -> None:
        raise MissingEngineError(f"no engine for {plan.env_id}")

    monkeypatch.setattr(RunPlan, "game", missing)
    listed = stmg("zoo", "list")
    assert all(f"zoo/{name}" in listed for name in COMMITTED)
    with pytest.raises(MissingEngineError):
        baselines.load_policy(f"zoo/{COMMITTED[0]}")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of three seeds in an empty directory, which is the present one."""
    monkeypatch.chdir(tmp_path)
    settings: dict[str, Any] = {"total_steps": 300, "eval_interval": 300} | SIZES["steer"]
    baselines.train("steer", "stmg/Mixing-v0", seeds=[5, 6, 9], out="run", **settings)
    return tmp_path / "run"


def set_results(run: Path, **metrics: list[float]) -> None:
    """Write other absolute metrics into a run's results, one number per seed."""
    results = read_json(run / "results.json")
    runs = results["stmg"]["mixing"]["steer"].values()
    for k, entry in enumerate(runs):
        for name, step in entry.items():
            kept = {key: step[key] for key in ("step_count", "elapsed_time") if key in step}
            entry[name] = kept | {metric: [values[k]] for metric, values in metrics.items()}
    write_json(run / "results.json", results)


@pytest.mark.parametrize(
    ("metrics", "seed", "metric"),
    [
        ({"return": [0.5, 1.5, 1.0]}, 6, "return"),
        ({"return": [0.5, 1.5, 1.0], "optimal": [0.0, 0.0, 1.0]}, 9, "optimal"),
        ({"return": [0.5, 1.5, 1.0], "optimal": [1.0, 0.0, 1.0]}, 9, "optimal"),
        ({"return": [0.5, 1.5, 1.0], "win_rate": [0.5, 0.2, 0.5], "optimal": [1.0, 1.0, 0.0]}, 5, "win_rate"),
    ],
)
def test_the_best_seed_by_the_main_metric_is_taken(
    run: Path, metrics: dict[str, list[float]], seed: int, metric: str
) -> None:
    set_results(run, **metrics)
    published = baselines.publish(run, "best", episodes=3)
    assert (published.seed, published.chosen_by) == (seed, metric)


def test_an_entry_is_the_policy_of_its_run(run: Path) -> None:
    said = stmg("zoo", "add", "run", "steer-mixing", "--seed", "6", "--episodes", "4")
    assert "seed 6, as asked" in said
    env = stmg_envs.vector_env("stmg/Mixing-v0", 3)
    observations, _ = env.reset(seed=0)
    source, entry = baselines.load_policy("run", seed=6), baselines.load_policy("zoo/steer-mixing")
    assert torch.equal(source.act(observations), entry.act(observations))
    manifest = json.loads(Path("zoo/steer-mixing/run.json").read_text())
    assert manifest["published"]["seeds"] == [5, 6, 9]
    assert manifest["published"]["chosen_by"] is None
    tensors, _ = load_checkpoint(Path("zoo/steer-mixing/checkpoint.safetensors"))
    assert all(name.startswith("policy.") and len(p) == 1 for name, p in tensors.items())
    listed = stmg("zoo", "list")
    assert all(f"zoo/{name} " in listed for name in [*COMMITTED, "steer-mixing"])
    # It is compared like any other results, so it keeps how its policy came about.
    trained, kept = (seed_6(path) for path in (Path("run"), Path("zoo/steer-mixing")))
    del trained["absolute_metrics"], kept["absolute_metrics"]
    assert trained == kept and kept


def seed_6(run: Path) -> dict[str, Any]:
    runs: dict[str, Any] = read_json(run / "results.json")["stmg"]["mixing"]["steer"]["seed_6"]
    return runs


def test_evaluation_writes_into_an_entry_only_when_asked(run: Path) -> None:
    baselines.publish(run, "entry", seed=5, episodes=4)
    before = files_of(Path("zoo/entry"))
    said = stmg("evaluate", "zoo/entry", "--episodes", "6", "--video", "film.gif")
    assert "written" not in said and Path("film.gif").is_file()
    assert files_of(Path("zoo/entry")) == before
    assert "written to zoo/entry/results.json" in stmg("evaluate", "zoo/entry", "--episodes", "6", "--write")
    metrics = read_json(Path("zoo/entry/results.json"))["stmg"]["mixing"]["steer"]["seed_5"]
    assert len(metrics["absolute_metrics"]["return"]) == 6


def test_results_are_of_other_episodes_than_the_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    short = {"total_steps": 64, "num_envs": 2, "rollout_steps": 16, "eval_interval": 64, "hidden_size": 8}
    baselines.train("mappo", "stmg/CooperativeHunting-v0", out="run", **short, eval_episodes=8)
    chosen = read_json(Path("run/results.json"))["stmg"]["cooperativehunting(variant=i)"]["mappo"]["seed_0"]
    fresh = baselines.publish("run", "entry", episodes=8).evaluated.as_metrics(0)
    assert not set(chosen["absolute_metrics"]["return"]) & set(fresh["return"])
    assert baselines.evaluate("zoo/entry", episodes=8).as_metrics(0) == fresh


def test_policies_of_the_source_tree_are_found_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert baselines.load_policy("zoo/steer-cooperation").plan.seeds
    with pytest.raises(RunDirectoryError, match=f"'zoo/nothing' is not there.*{COMMITTED[0]}"):
        baselines.load_policy("zoo/nothing")


def test_a_mistake_leaves_the_zoo_as_it_is(run: Path) -> None:
    with pytest.raises(RunDirectoryError, match="no run directory"):
        baselines.publish("nothing", "entry")
    with pytest.raises(CheckpointError, match="seed=1"):
        baselines.publish(run, "entry", seed=1)
    with pytest.raises(RunDirectoryError, match=r"name='\.\./entry'"):
        baselines.publish(run, "../entry")
    results = (run / "results.json").rename(run / "kept.json")
    with pytest.raises(InvalidArgumentError, match=r"results\.json"):
        baselines.publish(run, "entry")
    assert not Path("zoo").exists()
    results.rename(run / "results.json")
    baselines.publish(run, "entry", seed=5, episodes=2)
    with pytest.raises(RunDirectoryError, match="exists already"):
        baselines.publish(run, "entry", seed=5)
