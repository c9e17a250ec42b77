"""Command lines with one thing wrong: one sentence, status 2, and nothing that is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from baselines.cli import main
from fuzz import originals
from fuzz.judge import Case, Kind
from fuzz.mutations import Rng, pick
from stmg_envs.errors import STMGError

WORDS = (
    "",
    "nonsense",
    "-1",
    "0",
    "1e999",
    "nan",
    "9" * 30,
    "9" * 5000,
    "[]",
    "{}",
    "null",
    "[" * 5000,
    "\udc80",
    "a/b:c",
    "x" * 5000,
)
TRAIN = ["train", "mappo", "stmg/Penalty-v0", "--total-steps", "20"]
RUN = "RUN"
"""Stands for the run directory of a training."""

COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "train": (
        TRAIN,
        (
            "--seeds",
            "--num-envs",
            "--rollout-steps",
            "--learning-rate",
            "--priority",
            "--preset",
            "--device",
            "--processes",
            "--workers",
            "--threads",
            "--goal",
            "--env-arg",
        ),
    ),
    "evaluate": (["evaluate", RUN], ("--episodes", "--workers")),
    "solve": (["solve", "stmg/MatrixGame-v0"], ("--env-arg", "--priority")),
    "runs": (["runs", "list"], ()),
    "report": (["report"], ()),
    "leaderboard": (["leaderboard"], ()),
    "envs": (["envs"], ()),
}
"""What begins a command line, and the options that take something wrong; none for an argument."""
ACCEPTED = {("--goal", ""), ("--workers", "0"), ("--env-arg", "0"), ("", "")}
"""What is nothing wrong."""


class SaidError(STMGError):
    """A command has said in one sentence what is wrong."""


def command(rng: Rng, folder: Path) -> Case:
    """A command with one wrong word."""
    start, options = COMMANDS[pick(rng, list(COMMANDS))]
    option = pick(rng, options) if options else ""
    word = pick(rng, [word for word in WORDS if (option, word) not in ACCEPTED])
    given = [option, f"k={word}" if option == "--env-arg" else word] if option else [word]
    arguments = [str(originals.run()) if part == RUN else part for part in start] + given
    if start is TRAIN:
        arguments += ["--out", str(folder / "out")]
    change = f"stmg {' '.join(start)} {option} {word[:30]!r}"
    return Case(change, lambda: called(arguments, folder))


def called(arguments: list[str], folder: Path) -> Any:
    """Run a command; what it says, if that is a sentence with status 2."""
    result = CliRunner().invoke(main, arguments, terminal_width=200)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    left = [path.name for path in folder.iterdir()]
    if left:
        raise RuntimeError(f"{left} is left")
    if result.exit_code == 2:
        raise SaidError(result.output[-1000:])
    return result.exit_code, result.output[-300:]


LINES: dict[str, Kind] = {"command lines": command}
