"""Python programs that are run, interrupted and killed, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 120.0
"""Seconds after which something that should have happened counts as not happening."""


def start(program: str) -> subprocess.Popen[str]:
    """A Python program that leads a process group of its own, as the programs of a terminal do."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def running(group: int) -> set[int]:
    """Processes of a group that have not ended."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            _, _, rest = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _, its_group, *_ = rest.split()
        if int(its_group) == group and state != "Z":
            found.add(int(entry.name))
    return found


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something comes true while there is patience."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def shared_memory() -> set[str]:
    """Names of pieces of shared memory of this machine."""
    return set(os.listdir("/dev/shm"))
