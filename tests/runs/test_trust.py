"""A downloaded run directory runs no code, unless somebody says that it may."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import baselines
from baselines.cli import main
from baselines.errors import UntrustedError
from baselines.evaluation.report import render_report
from baselines.evaluation.report_inputs import read_run
from baselines.runs.api import resume
from baselines.runs.directory import RunDirectory
from baselines.runs.publish import publish
from baselines.runs.video import film

PAYLOAD = "stmg_payload_of_a_stranger"


SETTINGS = {"num_envs": 2, "rollout_steps": 5, "eval_interval": 50, "eval_episodes": 1, "hidden_size": 4}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "run"
    return baselines.train("mappo", "stmg/Penalty-v0", total_steps=50, out=out, **SETTINGS).path


@pytest.fixture
def downloaded(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of somebody else, whose manifest names a module that lies beside it."""
    folder = tmp_path / "zoo" / "evil"
    shutil.copytree(trained, folder)
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    manifest |= {"env_id": f"pettingzoo/{PAYLOAD}", "env_args": {}}
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    (runs,) = results["stmg"].values()
    results["stmg"] = {f"pettingzoo/{PAYLOAD}": runs}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (tmp_path / f"{PAYLOAD}.py").write_text("raise RuntimeError('code of the run directory runs')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return folder


USES: dict[str, Callable[[Path, bool], object]] = {
    "load_policy": lambda folder, trust: baselines.load_policy(folder, trust=trust),
    "evaluate": lambda folder, trust: baselines.evaluate(folder, 1, trust=trust),
    "resume": lambda folder, trust: resume(folder, trust=trust),
    "distill": lambda folder, trust: baselines.distill(folder, out=folder / "students", trust=trust),
    "publish": lambda folder, trust: publish(folder, "good", trust=trust),
    "film": lambda folder, trust: film(folder, folder / "film.gif", trust=trust),
    "report": lambda folder, trust: render_report(read_run(folder, trust)),
    "plan": lambda folder, trust: RunDirectory(folder, trust).plan(),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_is_imported_unless_it_is_trusted(downloaded: Path, use: str) -> None:
    with pytest.raises(UntrustedError, match=rf"names env_id='pettingzoo/{PAYLOAD}'.*--trust, trust=True"):
        USES[use](downloaded, False)
    with pytest.raises(Exception, match="code of the run directory runs"):
        USES[use](downloaded, True)
    assert PAYLOAD not in sys.modules


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "zoo/evil"],
        ["evaluate", "zoo/evil", "--episodes", "1"],
        ["train", "--resume", "zoo/evil"],
        ["distill", "zoo/evil", "--out", "students"],
        ["zoo", "add", "zoo/evil", "good"],
        ["zoo", "list"],
        ["runs", "list", "zoo"],
        ["runs", "compare", "zoo/evil", "zoo/evil"],
        ["leaderboard", "zoo", "--out", "site"],
    ],
    ids=" ".join,
)
def test_no_command_runs_it(downloaded: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert "code of the run directory runs" not in result.output + str(result.exception)
    assert result.exit_code in (0, 2)
    shown_only = arguments[0] in ("zoo", "runs", "leaderboard") and "add" not in arguments
    assert shown_only or "--trust" in result.output


@pytest.mark.parametrize("env_id", ["gymnasium/CartPole-v1", "stmg/Penalty-v0"])
def test_ids_of_registries_need_no_trust(downloaded: Path, env_id: str) -> None:
    path = downloaded / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"env_id": env_id}), encoding="utf-8")
    assert RunDirectory(downloaded).plan().env_id == env_id


def test_a_module_of_gymnasium_needs_it(downloaded: Path) -> None:
    path = downloaded / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"env_id": f"gymnasium/{PAYLOAD}:Game-v0"}), encoding="utf-8")
    with pytest.raises(UntrustedError):
        baselines.load_policy(downloaded)


def test_ones_own_command_is_trusted_on_resuming(tmp_path: Path) -> None:
    env_id = "pettingzoo/mpe2.simple_spread_v3"
    env_args = {"max_cycles": 5}
    first = baselines.train(
        "mappo", env_id, env_args=env_args, total_steps=50, out=tmp_path / "run", **SETTINGS
    )
    assert first.steps == 50
    longer = baselines.train(
        "mappo", env_id, env_args=env_args, total_steps=100, out=tmp_path / "run", resume=True, **SETTINGS
    )
    assert longer.steps == 100
    with pytest.raises(UntrustedError):
        resume(tmp_path / "run", total_steps=150)
    assert resume(tmp_path / "run", total_steps=150, trust=True).steps == 150
