"""How many small changes to the learners' code the tests notice: mutmut's kill rate of every file.

`python scripts/mutants.py [FILE ...]` prints the rates and whatever survived, and fails below the least rate.
Files may be any that `only_mutate` in pyproject.toml names; docs/mutants.md has survivors of the usual ones.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

LEAST = 0.9
FILES = [
    "baselines/algorithms/ppo.py",
    "baselines/algorithms/happo.py",
    "baselines/algorithms/a2c.py",
    "baselines/algorithms/dqn.py",
    "baselines/algorithms/ddpg.py",
    "baselines/algorithms/off_policy.py",
    "baselines/algorithms/policy_gradient.py",
    "baselines/training/advantages.py",
    "baselines/training/interaction.py",
    "baselines/training/replay.py",
    "baselines/networks/value_norm.py",
]
"""Losses and what they stand on: a slip here shows in no shape and no type."""
MUTANTS = Path("mutants")
ALIVE = (0, 33)
"""Exit codes of a mutant that tests let pass, and of one that no test calls."""


def run(files: list[str]) -> None:
    """Make mutants of files and test them, each in a process forked from one that has imported everything."""
    # A test that has changed would not make mutmut look again.
    shutil.rmtree(MUTANTS, ignore_errors=True)
    MUTANTS.mkdir()
    names = [f"{file.removesuffix('.py').replace('/', '.')}.*" for file in files]
    log = MUTANTS / "run.log"
    print(
        f"mutants of {len(files)} files, some ten minutes for the usual ones; {log} says how far it is",
        flush=True,
    )
    with log.open("wb") as output:
        done = subprocess.run([sys.executable, "-m", "mutmut", "run", *names], stdout=output, stderr=output)
    if done.returncode:
        sys.exit(log.read_text(encoding="utf-8")[-2000:])


def survivors(file: str) -> tuple[int, list[str]]:
    """How many mutants a file had, and the names of those that live."""
    codes = json.loads((MUTANTS / f"{file}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
    return len(codes), [name for name, code in codes.items() if code in ALIVE]


def main(files: list[str]) -> int:
    """Print the rates; 1 where one is below the least."""
    run(files)
    low = False
    for file in files:
        count, alive = survivors(file)
        rate = 1 - len(alive) / max(count, 1)
        low = low or rate < LEAST
        print(f"{rate:7.1%}  {count - len(alive):4d} of {count:4d}  {file}", *alive, sep="\n    ")
    return int(low)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or FILES))
