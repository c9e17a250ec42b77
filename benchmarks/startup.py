"""Processor seconds of starts: of commands that need nothing slow, and of imports beside torch alone."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

STMG = str(Path(sys.executable).parent / "stmg")
COMPLETION = {"_STMG_COMPLETE": "bash_complete", "COMP_WORDS": "stmg tr", "COMP_CWORD": "1"}
STARTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "stmg --version": ([STMG, "--version"], {}),
    "stmg --help": ([STMG, "--help"], {}),
    "stmg tr<TAB>": ([STMG], COMPLETION),
    "import stmg_envs": ([sys.executable, "-c", "import stmg_envs"], {}),
}
"""What is started, by name: arguments, and what is added to the environment."""
ABOVE_TORCH = "import time, torch; s = time.process_time(); import stmg_envs; print(time.process_time() - s)"
"""Within one process, for what torch takes varies by more than what comes on top of it."""


def processor_seconds(arguments: list[str], variables: dict[str, str]) -> float:
    """Processor time of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, env=os.environ | variables, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the least time of each start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="of each start, in turns; the least counts")
    repeats = parser.parse_args().repeats
    least = dict.fromkeys(STARTS, float("inf"))
    above = float("inf")
    for _ in range(repeats):
        for name, start in STARTS.items():
            least[name] = min(least[name], processor_seconds(*start))
        said = subprocess.run([sys.executable, "-c", ABOVE_TORCH], capture_output=True, check=True, text=True)
        above = min(above, float(said.stdout))
    for name, seconds in least.items():
        print(f"{name:18} {seconds:5.2f} s")
    print(f"  above torch      {above:5.2f} s")


if __name__ == "__main__":
    main()
