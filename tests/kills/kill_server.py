"""Runs commands in forks of one process, which has everything imported, and kills them where it is told to.

Reads a job in a line: the arguments, the folder, the number of the event at which it is to be killed or 0.
Answers with the exit status, negative for a signal, and the number of events.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from file_events import FileEvents
from small_experiment import Titles, run

import baselines.cli.distill
import baselines.cli.evaluate
import baselines.cli.leaderboard
import baselines.cli.report
import baselines.cli.train  # noqa: F401 (imported before forks, not in each)
from baselines.cli import main

OUTPUT, EVENTS = "output.txt", "events.txt"


def carry_out(arguments: list[str], folder: Path, last: int) -> None:
    """Do a job in this process, which ends with it."""
    beside = folder.parent
    output = os.open(beside / OUTPUT, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    events, status = FileEvents(folder, last), 0
    events.install()
    try:
        if arguments == ["experiment"]:
            run(folder, Titles())
        else:
            main(arguments, prog_name="stmg")
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    finally:
        (beside / EVENTS).write_text(str(events.count))
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def answer(arguments: list[str], folder: str, last: int) -> dict[str, Any]:
    """Do a job in a fork."""
    beside = Path(folder).parent
    (beside / EVENTS).unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            carry_out(arguments, Path(folder), last)
        finally:
            os._exit(70)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    events = int((beside / EVENTS).read_text()) if (beside / EVENTS).exists() else last
    return {"status": status, "events": events, "output": (beside / OUTPUT).read_text(errors="replace")}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)
