"""Whatever a policy does: a row says so, the evaluation goes on, and nothing of it is left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hostile
import pytest
from click.testing import CliRunner

from baselines.cli import main
from baselines.leaderboard.site import write_site
from baselines.policies import Evaluation, Limits, Task, evaluate_policies

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="policies are confined on Linux only")

HERE = Path(__file__).parent
NO_ANSWER = "its process sent something that is no answer"
NO_GUARD = "[Errno 2] No such file or directory: '/proc/0/stat'"
ROWS = {
    "hostile:Raises": ("crashed", "ValueError: no idea [bold]what to do (hostile.py:"),
    "hostile:Sleeps": ("timed out", "no answer to act in 5 s"),
    "hostile:Nan": ("invalid action", "float64 of shape (1,); expected integers of shape (1,)"),
    "hostile:WrongShape": ("invalid action", "int64 of shape (1, 2); expected integers"),
    "hostile:OutOfRange": ("invalid action", "99 of agent_0; expected one of [0, 1, 2]"),
    "hostile:Allocates": ("out of memory", "Unable to allocate 512. GiB"),
    "hostile:Late": ("crashed", "RuntimeError: late"),
    "hostile:Floods": ("ok", ""),
    "hostile:Forks": ("ok", ""),
    "hostile:Exits": ("ended", "its process ended with exit code 3"),
    "hostile:Writes": ("crashed", "outside.txt"),
    "hostile:Kills": ("ended", "its process was ended by SIGSEGV"),
    "broken_module:Any": ("crashed", "OSError: of the import (broken_module.py:1)"),
    "absent_class:Absent": ("crashed", "absent_class has no class 'Absent'"),
    "forged_answer:Forged": ("crashed", NO_ANSWER),
    "hostile_answers:Nests": ("crashed", NO_ANSWER),
    "hostile_answers:NoShape": ("invalid action", "its process did not send numbers"),
    "hostile_answers:Babbles": ("crashed", "its process sent more than 2097152 bytes"),
    "hostile_system:Respawns": ("ok", ""),
    "hostile_system:LimitsOthers": ("crashed", NO_GUARD),
    "hostile_system:KillsGuard": ("crashed", NO_GUARD),
    "hostile_system:StartsMany": ("too many processes", "more than 32"),
    "hostile_system:DigsDeep": ("crashed", "RuntimeError: dug"),
    "hostile_system:FillsFolder": ("crashed", "No space left on device"),
    "hostile_system:Links": ("crashed", "Invalid cross-device link"),
    "hostile_system:ChangesModes": ("crashed", "Read-only file system"),
    "hostile_system:SharesMemory": ("crashed", "OSError: no segment"),
    "hostile_system:Stops": ("timed out", "no answer to act in 5 s"),
    "hostile_system:EndsBySignalWithoutName": ("ended", "its process was ended by signal 40"),
    "hostile_system:Looks": ("crashed", "RuntimeError: [1, 2] from 0"),
}
"""What becomes of policies by their module and class, where the kernel gives namespaces."""
EVERYWHERE = {
    "hostile_system:LimitsOthers": ("crashed", "Operation not permitted"),
    "hostile_system:DigsDeep": ("crashed", "RuntimeError: dug"),
    "hostile_system:Links": ("crashed", "Invalid cross-device link"),
    "hostile_system:SharesMemory": ("crashed", "OSError: no segment"),
    "hostile:Forks": ("ok", ""),
}
"""What becomes of policies where it does not."""
REFUSED = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
"""The shell tells the kernel to give no namespaces any more, from one in which it may."""


def refusing(*command: str) -> list[str]:
    """A command in which nobody gets namespaces."""
    return ["unshare", "--user", "--map-root-user", "sh", "-c", REFUSED, "-", *command]


def can(command: list[str]) -> bool:
    """Whether a command works here."""
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True).returncode


SEPARATE = can(["unshare", "--user", "--pid", "--ipc", "--fork", "true"])
needs_namespaces = pytest.mark.skipif(not SEPARATE, reason="the kernel gives no namespaces")


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


def command_for(policies: Iterable[str], out: Path) -> list[str]:
    """The evaluation of policies and of a good one before and after them."""
    options = ["--policy", "hostile:Greedy", "--name", "Before"]
    for policy in policies:
        options += ["--policy", policy, "--name", policy]
    options += ["--policy", "hostile:Greedy", "--name", "After"]
    options += ["--env", "stmg/Penalty-v0", "--seeds", "3,5", "--episodes", "2", "--out", str(out)]
    return ["evaluate", *options, "--decision-seconds", "5", "--memory-gib", "0.5"]


def rows(out: Path) -> dict[str, Any]:
    """What the manifest says of each policy."""
    entries = json.loads((out / "manifest.json").read_text())
    return {name.partition(" / ")[2]: entry for name, entry in entries.items()}


def require_rows(found: dict[str, Any], expected: dict[str, tuple[str, str]]) -> None:
    """Each policy has its row, and the good ones are as they should be."""
    assert list(found) == ["Before", *expected, "After"]
    for name, (status, detail) in expected.items():
        assert (found[name]["status"], detail in found[name]["detail"]) == (status, True), found[name]
    for name in ("Before", "After"):
        assert (found[name]["status"], found[name]["finished_episodes"]) == ("ok", 4)


@needs_namespaces
def test_a_batch_of_thirty_hostile_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(ROWS) == 30
    folders = tmp_path / "folders"
    folders.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folders))
    monkeypatch.setenv("COLUMNS", "200")
    out, before = tmp_path / "out", sorted(HERE.rglob("*"))
    result = CliRunner().invoke(main, command_for(ROWS, out), terminal_width=200)
    assert result.exit_code == 0, result.output
    assert not left_over(tmp_path.name)
    assert not list(folders.iterdir())
    assert sorted(HERE.rglob("*")) == before
    found = rows(out)
    require_rows(found, ROWS)
    assert all(name in result.output for name in ROWS)
    assert found["hostile:Forks"]["ended_processes"] >= 1
    assert all(row["namespaces"] and row["processes_that_stayed"] == 0 for row in found.values())
    assert (
        found["hostile:Floods"]["printed_bytes"] > 10**7 and len(found["hostile:Floods"]["printed"]) <= 4096
    )
    algorithms = json.loads((out / "results.json").read_text())["stmg"]["penalty(k=0)"]
    assert algorithms["Before"] == algorithms["After"]
    final = algorithms["hostile:Raises"]["seed_5"]["absolute_metrics"]
    assert final["return"] == [pytest.approx(20 / 9)] * 2 and final["failed_episodes"] == [2.0]
    assert final["optimal"] == [0.0]
    assert write_site([out], tmp_path / "site").entries == len(ROWS) + 2


@pytest.mark.skipif(not can(refusing("true")), reason="the kernel cannot be told to refuse namespaces")
def test_where_the_kernel_gives_no_namespaces(tmp_path: Path) -> None:
    out, folders = tmp_path / "out", tmp_path / "folders"
    folders.mkdir()
    program = [sys.executable, "-m", "baselines", *command_for(EVERYWHERE, out)]
    environment = {**os.environ, "TMPDIR": str(folders), "COLUMNS": "200"}
    result = subprocess.run(refusing(*program), env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "This system gives policies no namespaces" in result.stdout
    assert not left_over(tmp_path.name)
    assert not list(folders.iterdir())
    found = rows(out)
    require_rows(found, EVERYWHERE)
    assert not any(row["namespaces"] for row in found.values())
    assert found["hostile:Forks"]["ended_processes"] >= 1


ANSWERS = {
    "Lists": ("crashed", NO_ANSWER),
    "DigitsWithoutEnd": ("crashed", NO_ANSWER),
    "DeepDetail": ("crashed", "[[["),
    "NoBase64": ("invalid action", "its process did not send numbers"),
    "ShapeOfNames": ("invalid action", "its process did not send numbers"),
    "NoDtype": ("invalid action", "its process did not send numbers"),
    "Objects": ("invalid action", "its process did not send numbers"),
    "Drips": ("timed out", "no answer to act in 3 s"),
}


def test_whatever_is_sent_is_the_failure_of_who_sends_it() -> None:
    task = Task("stmg/Penalty-v0", seeds=(0,), episodes=1)
    policies = [f"hostile_answers:{name}" for name in ANSWERS]
    for found in evaluate_policies(policies, task, limits=Limits(decision_seconds=3)):
        status, detail = ANSWERS[found.name]
        assert (found.status, detail in found.detail) == (status, True), found


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


MISTAKES = [
    (["--policy", "nowhere.at_all:Mine"], "there is no module 'nowhere'"),
    (["--policy", "hostile:Greddy"], "did you mean 'Greedy'?"),
    (["--policy", "hostile:NoPolicy"], "NoPolicy has no method 'act'"),
    (["--policy", "hostile.py"], "expected package.module:Class"),
    (["--policy", "hostile:Greedy", "--policy", "hostile:Greedy"], "expected different ones"),
    (["--policy", "hostile:Greedy", "--env", "stmg/Penalti-v0"], "stmg/Penalty-v0"),
    (["--policy", "hostile:Greedy", "--decision-seconds", "0"], "decision_seconds=0.0"),
    (["--policy", "hostile:Greedy", "--salt", "5"], "salt='5' is not accepted; expected 32 digits"),
    (["a_run", "--salt", "5"], "--salt does not go with a run directory"),
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


def test_an_evaluation_that_is_killed_leaves_results_and_nothing_else(tmp_path: Path) -> None:
    out, folders = tmp_path / "out", tmp_path / "folders"
    folders.mkdir()
    options = ["--env", "stmg/Penalty-v0", "--seeds", "3,", "--episodes", "1", "--decision-seconds", "600"]
    options += ["--policy", "hostile:Greedy", "--policy", "hostile:Forks", "--policy", "hostile:Sleeps"]
    program = subprocess.Popen(
        [sys.executable, "-m", "baselines", "evaluate", *options, "--out", str(out)],
        env={**os.environ, "TMPDIR": str(folders)},
    )
    deadline = time.monotonic() + 120
    try:
        # Two have played, and the third begins: the program, the guard, and what becomes its process.
        while time.monotonic() < deadline and not (
            (out / "manifest.json").exists() and len(rows(out)) == 2 and len(left_over(tmp_path.name)) >= 3
        ):
            time.sleep(0.05)
        assert list(rows(out)) == ["Greedy", "Forks"]
    finally:
        program.kill()
        program.wait()
    while left_over(tmp_path.name) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_over(tmp_path.name)
    assert not list(folders.iterdir())
    assert list(json.loads((out / "results.json").read_text())["stmg"]["penalty(k=0)"]) == ["Greedy", "Forks"]
