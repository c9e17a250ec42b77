"""The program that starts a policy's process and ends it with everything that it has started.

`guard.py SETTINGS COMMAND...` runs the command until it ends, a limit is passed, or the standard input of
this program closes, which it does when the evaluating process ends, however that happens. Whatever processes
there are then, daemons included, are killed, the policy's folder is removed, and one line of JSON says what
happened. It runs by its path and imports nothing of this package.

Where the kernel allows it, the command lives in namespaces of its own: it cannot name a process outside, and
all of it ends with the first process in there.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import secrets
import select
import signal
import stat
import struct
import sys
import time
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 36, 47, 2
NEW_IPC, NEW_USER, NEW_PID = 0x08000000, 0x10000000, 0x20000000
CAP_SYS_ADMIN = 21
CAPABILITIES_VERSION = 0x20080522

WATCH_SECONDS = 0.1
"""Between two looks at the processes."""
KEPT_OUTPUT = 4096
"""Bytes of what the policy prints that are kept, the last ones."""
ENDING_SECONDS = 10.0
"""To kill everything where processes can be made faster than they are killed."""


def separate() -> bool:
    """Have the processes that this one will start live in namespaces of their own, if the kernel allows it.

    They keep the right to mount, which `confine.py` uses and gives up.
    """
    user, group = os.geteuid(), os.getegid()
    if LIBC.unshare(NEW_USER | NEW_PID | NEW_IPC):
        return False
    # Without names for its users a namespace still holds its processes, but no folder can be mounted in it.
    with contextlib.suppress(OSError):
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        right = 1 << CAP_SYS_ADMIN
        rights = struct.pack("6I", right, right, right, 0, 0, 0)
        LIBC.capset(struct.pack("Ii", CAPABILITIES_VERSION, 0), rights)
        LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0)
    return True


def start_init() -> int:
    """Start the first process of a namespace, with which all others end; it ends with this process."""
    # What writes stays open as long as this process lives; its place is forgotten.
    theirs, _ours = os.pipe()
    pid = os.fork()
    if pid == 0:
        # It keeps nothing open by which others would learn that the policy is gone.
        os.dup2(theirs, 0)
        os.closerange(1, 2**16)
        # Orphans are reaped by the kernel then.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.read(0, 1)
        os._exit(0)
    os.close(theirs)
    return pid


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


def kill_all(ancestor: int) -> int:
    """Kill all descendants, and those that they start meanwhile; how many stay nevertheless."""
    deadline = time.monotonic() + ENDING_SECONDS
    while (left := descendants(ancestor)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
        # The first process of a namespace stays until the others are gone, also from the table of processes.
        _reap_all()
    _reap_all()
    return len(left)


def _reap_all() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, however deep, as far as that is possible.

    Inner folders move up before they are removed, so that no path is too long.
    """
    fresh = (f"{folder}/{secrets.token_hex(8)}-{number}" for number in itertools.count())
    folders = [folder]
    with contextlib.suppress(OSError):
        while folders:
            path = folders.pop()
            os.chmod(path, stat.S_IRWXU)
            inner = [f"{path}/{name}" for name in os.listdir(path)]
            for entry in inner:
                if not stat.S_ISDIR(os.lstat(entry).st_mode):
                    os.unlink(entry)
                    continue
                # A folder that moves is changed itself, for it knows its parent.
                os.chmod(entry, stat.S_IRWXU)
                folders.append(next(fresh))
                os.rename(entry, folders[-1])
            if path != folder:
                os.rmdir(path)
        os.rmdir(folder)


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
        self.separate = separate()
        self.init = start_init() if self.separate else None
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
                passed = self._passed_limit(self._processes())
        left = len(self._processes().keys() - {self.child})
        if self.init is not None:
            os.kill(self.init, signal.SIGKILL)
        stayed = kill_all(os.getpid())
        while not stayed and self._keep():
            pass
        return {
            "exitcode": self.exitcode,
            "passed": passed,
            "left": left,
            "stayed": stayed,
            "separate": self.separate,
            "printed": self.printed,
            "output": self.tail.decode(errors="replace"),
        }

    def _processes(self) -> dict[int, int]:
        """The policy's processes, with the bytes of memory they occupy."""
        return {pid: size for pid, size in descendants(os.getpid()).items() if pid != self.init}

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
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    settings = json.loads(sys.argv[1])
    verdict = Guard(settings, sys.argv[2:]).run()
    os.chdir("/")
    remove(settings["folder"])
    print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
