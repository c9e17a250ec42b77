"""The program that starts a policy's process and ends it with everything that it has started.

`guard.py SETTINGS COMMAND...` runs the command until it ends, a limit is passed, or the standard input of
this program closes, which it does when the evaluating process ends, however that happens. Whatever processes
there are then, daemons included, are killed, the policy's folder is removed, and one line of JSON says what
happened. It runs by its path and imports nothing of this package.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
WATCH_SECONDS = 0.1
"""Between two looks at the processes."""
KEPT_OUTPUT = 4096
"""Bytes of what the policy prints that are kept, the last ones."""


def descendants(ancestor: int) -> dict[int, int]:
    """Processes that come from one and have not ended, with the bytes of memory they occupy."""
    parents: dict[int, int] = {}
    memory: dict[int, int] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(name)] = int(fields[1])
            memory[int(name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: memory[pid] for pid in found - {ancestor}}


def kill_all(ancestor: int) -> None:
    """Kill all descendants, and those that they start meanwhile."""
    while left := descendants(ancestor):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.002)


class Guard:
    """Watches one command.

    Args:
        settings: `memory` in bytes and `processes`, each for all processes together.
        command: what to run.
    """

    def __init__(self, settings: dict[str, Any], command: list[str]) -> None:
        self.settings = settings
        self.output, theirs = os.pipe()
        self.printed, self.tail = 0, b""
        self.exitcode: int | None = None
        self.child = os.fork()
        if self.child == 0:
            nothing = os.open(os.devnull, os.O_RDONLY)
            for target, source in enumerate((nothing, theirs, theirs)):
                os.dup2(source, target)
            os.execv(command[0], command)
        os.close(theirs)
        os.close(settings["connection"])

    def run(self) -> dict[str, Any]:
        """Watch until it is over; what happened."""
        own = os.getpid()
        passed, look = None, 0.0
        watched = [0, self.output]
        while self.exitcode is None and passed is None:
            ready, _, _ = select.select(watched, [], [], WATCH_SECONDS)
            if self.output in ready and not self._keep():
                watched.remove(self.output)
            self._reap()
            if 0 in ready:
                break
            if time.monotonic() >= look:
                look = time.monotonic() + WATCH_SECONDS
                passed = self._passed_limit(descendants(own))
        left = len(descendants(own).keys() - {self.child})
        kill_all(own)
        while self._keep():
            pass
        return {
            "exitcode": self.exitcode,
            "passed": passed,
            "left": left,
            "printed": self.printed,
            "output": self.tail.decode(errors="replace"),
        }

    def _keep(self) -> bool:
        """Read what was printed; whether there can be more."""
        text = os.read(self.output, 2**16)
        self.printed += len(text)
        self.tail = (self.tail + text)[-KEPT_OUTPUT:]
        return bool(text)

    def _reap(self) -> None:
        while self.exitcode is None:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == self.child:
                self.exitcode = os.waitstatus_to_exitcode(status)
            if pid == 0:
                return

    def _passed_limit(self, processes: dict[int, int]) -> str | None:
        if sum(processes.values()) > self.settings["memory"]:
            return "out of memory"
        return "too many processes" if len(processes) > self.settings["processes"] else None


def main() -> None:
    """Run the command and print what happened."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    settings = json.loads(sys.argv[1])
    verdict = Guard(settings, sys.argv[2:]).run()
    os.chdir("/")
    shutil.rmtree(settings["folder"], ignore_errors=True)
    print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
