"""Whatever a policy does: a row says so, the evaluation goes on, and nothing of it is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import hostile
import pytest
from click.testing import CliRunner

from baselines.cli import main
from baselines.leaderboard.site import write_site
from baselines.policies import Evaluation, Limits, Task, evaluate_policies
from baselines.policies.confine import landlock_version

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="policies are confined on Linux only")

HERE = Path(__file__).parent
ROWS = {
    "Raises": ("crashed", "ValueError: no idea [bold]what to do (hostile.py:"),
    "Sleeps": ("timed out", "no answer to act in 3 s"),
    "Nan": ("invalid action", "float64 of shape (1,); expected integers of shape (1,)"),
    "WrongShape": ("invalid action", "int64 of shape (1, 2); expected integers"),
    "OutOfRange": ("invalid action", "99 of agent_0; expected one of [0, 1, 2]"),
    "Allocates": ("out of memory", "Unable to allocate 512. GiB"),
    "Floods": ("ok", ""),
    "Forks": ("ok", ""),
    "Exits": ("ended", "its process ended with exit code 3"),
    "Writes": ("crashed", "PermissionError"),
    "Kills": ("ended", "its process was ended by SIGSEGV"),
}


@pytest.fixture(autouse=True)
def _in_this_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv(hostile.MARK, tmp_path.name)


def left_over(mark: str) -> list[str]:
    """Processes that have the mark, without this one."""
    wanted, found = f"{hostile.MARK}={mark}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0") and process.name != str(os.getpid()):
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_batch_of_hostile_policies(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", HERE / "outside.txt"
    options = [option for name in [*ROWS, "Greedy"] for option in ("--policy", f"hostile:{name}")]
    options += ["--env", "stmg/Penalty-v0", "--seeds", "3,5", "--episodes", "2", "--out", str(out)]
    options += ["--decision-seconds", "3", "--memory-gib", "0.5"]
    try:
        result = CliRunner().invoke(main, ["evaluate", *options], terminal_width=200)
        written = outside.exists()
    finally:
        outside.unlink(missing_ok=True)
    assert result.exit_code == 0, result.output
    assert not left_over(tmp_path.name)
    assert written == (landlock_version() == 0)
    entries = json.loads((out / "manifest.json").read_text())
    found = {name.partition(" / ")[2]: entry for name, entry in entries.items()}
    assert list(found) == [*ROWS, "Greedy"]
    for name, (status, detail) in ROWS.items():
        assert name in result.output
        if name != "Writes" or landlock_version():
            assert (found[name]["status"], detail in found[name]["detail"]) == (status, True), found[name]
    assert found["Greedy"]["status"] == "ok" and found["Greedy"]["finished_episodes"] == 4
    assert found["Forks"]["ended_processes"] >= 1
    assert found["Floods"]["printed_bytes"] > 10**7 and len(found["Floods"]["printed"]) <= 4096
    algorithms = json.loads((out / "results.json").read_text())["stmg"]["penalty(k=0)"]
    final = algorithms["Raises"]["seed_5"]["absolute_metrics"]
    assert final["return"] == [pytest.approx(20 / 9)] * 2 and final["failed_episodes"] == [2.0]
    assert final["optimal"] == [0.0]
    assert write_site([out], tmp_path / "site").entries == len(ROWS) + 1


def evaluate(policy: str, task: Task, **arguments: int) -> Evaluation:
    return evaluate_policies([policy], task, arguments)[0]


@pytest.mark.parametrize(("leader", "follower", "played", "failed"), [(0, 2, 10, 20 / 9), (1, 1, 2, 2)])
def test_failing_does_not_pay(leader: int, follower: int, played: float, failed: float) -> None:
    # The second episode fails: it counts the bound, or what the first has brought if that is less.
    task = Task("stmg/Penalty-v0", {"k": -100}, seeds=(0,), episodes=3)
    (metrics,) = evaluate("hostile:Late", task, leader=leader, follower=follower).tally.run_metrics() or []
    assert metrics["return"] == pytest.approx([played, failed, failed])
    assert metrics["failed_episodes"] == [2.0]


def test_memory_is_that_of_all_processes() -> None:
    task = Task("stmg/Penalty-v0", seeds=(0,), episodes=1)
    limits = Limits(decision_seconds=60, memory_gib=0.5)
    (found,) = evaluate_policies(["hostile:Grows"], task, limits=limits)
    assert (found.status, found.detail) == ("out of memory", "more than 0.5 GiB")


def test_without_a_bound_there_may_be_nothing_to_count() -> None:
    task = Task("stmg/Penalty-v0", {"k": -3}, seeds=(0,), episodes=2)
    assert evaluate("hostile:Raises", task).tally.run_metrics() is None
    (metrics,) = evaluate("hostile:Late", task).tally.run_metrics() or []
    assert metrics["return"][1] == metrics["return"][0]


def test_a_module_that_cannot_be_imported_is_a_row() -> None:
    found = evaluate("broken_module:Any", Task("stmg/Penalty-v0", seeds=(0,), episodes=1))
    assert (found.status, found.detail) == ("crashed", "OSError: of the import (broken_module.py:1)")


MISTAKES = [
    (["--policy", "nowhere.at_all:Mine"], "there is no module 'nowhere'"),
    (["--policy", "hostile:Greddy"], "did you mean 'Greedy'?"),
    (["--policy", "hostile:NoPolicy"], "NoPolicy has no method 'act'"),
    (["--policy", "hostile.py"], "expected package.module:Class"),
    (["--policy", "hostile:Greedy", "--policy", "hostile:Greedy"], "expected different ones"),
    (["--policy", "hostile:Greedy", "--env", "stmg/Penalti-v0"], "stmg/Penalty-v0"),
    (["--policy", "hostile:Greedy", "--decision-seconds", "0"], "decision_seconds=0.0"),
    (["--policy", "hostile:Greedy", "--workers", "2"], "--workers does not go with --policy"),
    (["a_run", "--memory-gib", "2"], "does not go with a run directory"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: " ".join(value)[:50])
def test_a_mistake_is_one_clear_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    form = [] if "a_run" in arguments else ["--env", "stmg/Penalty-v0", "--out", str(out)]
    result = CliRunner().invoke(main, ["evaluate", *form, *arguments], terminal_width=200)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not out.exists()


def test_no_folder_of_a_policy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = evaluate_policies(
        ["hostile:Together"], Task("stmg/Penalty-v0", seeds=(0,), episodes=2), limits=Limits()
    )
    assert found[0].status == "ok" and not list(tmp_path.iterdir())


EVALUATION = """
from baselines.policies import Limits, Task, evaluate_policies

task = Task("stmg/Penalty-v0", seeds=(0,), episodes=1)
evaluate_policies(["hostile:Sleeps"], task, limits=Limits(decision_seconds=600))
"""


def test_nothing_outlives_an_evaluation_that_is_killed(tmp_path: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", EVALUATION])
    deadline = time.monotonic() + 120
    try:
        # The program, the guard, and what becomes the policy's process.
        while len(left_over(tmp_path.name)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(left_over(tmp_path.name)) == 3
    finally:
        program.kill()
        program.wait()
    while left_over(tmp_path.name) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_over(tmp_path.name)
