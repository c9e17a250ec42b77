"""kill -9 at any file event of a command: what is there is whole, and the command can be given again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from run_files import without_times

from baselines.storage.writing import PARTIAL
from baselines.training.checkpoint import load_checkpoint

TESTS = Path(__file__).parents[1]
SMALL = "--num-envs 4 --rollout-steps 5 --eval-interval 20 --eval-episodes 2 --hidden-size 4 --threads 1"
TRAIN = f"train a2c-ind stmg/Penalty-v0 --seeds 2 --total-steps 40 {SMALL} --out run"
PLACES = 17
"""Of the short form: one event of so many, another one for each command."""


class Killer:
    """Has commands carried out in forks of a process."""

    def __init__(self) -> None:
        path = os.pathsep.join(map(str, [TESTS.parent, TESTS, TESTS / "reproduce"]))
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kill_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )

    def __call__(self, command: str, folder: Path, last: int = 0) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        job = {"arguments": command.split(), "folder": str(folder), "last": last}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def kill() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@dataclass(frozen=True)
class Command:
    """What is killed.

    Attributes:
        words: the command.
        before: commands that make what it needs.
        made: whatever stands of it at the end, name -> what is compared.
    """

    words: str
    before: tuple[str, ...] = ()
    made: tuple[str, ...] = ("run",)


COMMANDS = {
    "train": Command(TRAIN),
    "resume": Command("train --resume run --total-steps 80", (TRAIN,)),
    "evaluate": Command("evaluate run --episodes 3 --write", (TRAIN,)),
    "report": Command("report run", (TRAIN,)),
    "distill": Command(
        "distill run --out students --episodes 2 --total-steps 40 --num-envs 4 --rollout-steps 5 "
        "--eval-interval 20 --eval-episodes 2 --hidden-size 4 --threads 1",
        (TRAIN,),
        ("students",),
    ),
    "leaderboard": Command("leaderboard run --out site", (TRAIN,), ("site",)),
    "leaderboard again": Command(
        "leaderboard run other --out site",
        (TRAIN, TRAIN.replace("Penalty", "Mixing").replace("run", "other"), "leaderboard run --out site"),
        ("site",),
    ),
    "reproduce": Command("experiment", (), ("results",)),
}


def read(path: Path) -> Any:
    """What a file holds, but for times; this fails for half a file."""
    if path.suffix == ".safetensors":
        tensors, told = load_checkpoint(path)
        return {name: value.tolist() for name, value in tensors.items()}, told["updates"]
    if path.suffix == ".html":
        page = path.read_text(encoding="utf-8")
        assert page.endswith("</html>\n")
        return len(page.split("<"))
    if path.name in ("run.json", "manifest.json"):
        # When and from where a training was taken up is another story each time.
        told = json.loads(path.read_text(encoding="utf-8"))
        return sorted(told.keys() - {"resumed"})
    if path.suffix == ".json" or path.name == "metrics.csv":
        return without_times(path)
    return path.read_bytes()


def contents(folder: Path) -> dict[str, Any]:
    """All that a command has made, but for what watches a training as it goes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): read(path) for path in files if "tensorboard" not in path.parts}


def visible(path: Path, folder: Path) -> bool:
    """Whether anybody would take it for a file that is there."""
    parts = path.relative_to(folder).parts
    return not any(part.startswith(".") or part.endswith(PARTIAL) for part in parts)


def require_whole(folder: Path) -> None:
    """Nothing is half written; only lines that are added as they come may be."""
    for path in folder.rglob("*"):
        grows = path.name == "metrics.csv" or "tensorboard" in path.parts
        if path.is_file() and visible(path, folder) and not grows:
            read(path)


def again(kill: Killer, words: str, folder: Path) -> None:
    """Give the command again, as its message says if it does not go on by itself."""
    told = kill(words, folder)
    if told["status"] and "--resume" in told["output"]:
        told = kill(f"{words} --resume", folder)
    assert told["status"] == 0, told["output"]


def check(kill: Killer, name: str, folder: Path, places: Callable[[int], range]) -> int:
    """Kill a command at events; the number of them."""
    command, base = COMMANDS[name], folder / "base"
    base.mkdir()
    for words in command.before:
        told = kill(words, base)
        assert told["status"] == 0, told["output"]
    whole = folder / "whole"
    shutil.copytree(base, whole)
    told = kill(command.words, whole)
    assert told["status"] == 0, told["output"]
    expected = {made: contents(whole / made) for made in command.made}
    killed = 0
    for place in places(told["events"]):
        there = folder / "killed"
        shutil.copytree(base, there)
        # What watches a training writes from a thread of its own, so that the number of events varies.
        killed += kill(command.words, there, place)["status"] == -9
        require_whole(there)
        again(kill, command.words, there)
        assert {made: contents(there / made) for made in command.made} == expected, place
        shutil.rmtree(there)
    return killed


@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_at_some_events_loses_nothing(kill: Killer, name: str, tmp_path: Path) -> None:
    first = 1 + list(COMMANDS).index(name)
    assert check(kill, name, tmp_path, lambda events: range(first, events + 1, PLACES)) > 0


@pytest.mark.slow
def test_a_kill_at_any_event_loses_nothing(kill: Killer, tmp_path: Path) -> None:
    killed = {}
    for name in COMMANDS:
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        killed[name] = check(kill, name, folder, lambda events: range(1, events + 1))
    print(killed)
    assert sum(killed.values()) >= 200
