"""Policies that attack the system: processes, files, and those that guard them."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEPTH = 1050
"""Beyond what Python calls itself, and what a path may have."""


def outside() -> list[int]:
    """The guard and the evaluating process, where they can be seen."""
    guard = os.getppid()
    text = Path(f"/proc/{guard}/stat").read_text()
    return [guard, int(text.rpartition(")")[2].split()[1])]


class Respawns:
    """Processes that fork and end in a loop, faster than they can be found."""

    def act(self, observation: Any) -> int:
        end = time.time() + 75
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
                while time.time() < end:
                    if os.fork():
                        os._exit(0)
                os._exit(0)
        return 0


class LimitsOthers:
    """Has the kernel kill the evaluating process."""

    def act(self, observation: Any) -> int:
        resource.prlimit(outside()[1], resource.RLIMIT_CPU, (1, 1))
        return 0


class KillsGuard:
    def act(self, observation: Any) -> int:
        os.kill(outside()[0], signal.SIGKILL)
        return 0


class StartsMany:
    def act(self, observation: Any) -> int:
        for _ in range(40):
            os.posix_spawn("/bin/sleep", ["sleep", "1000"], os.environ)
        time.sleep(1000)
        return 0


class DigsDeep:
    """Folders in folders, too deep for a path, and closed."""

    def act(self, observation: Any) -> int:
        for _ in range(DEPTH):
            os.mkdir("folder")
            os.chdir("folder")
        Path("file").touch()
        os.chdir(os.environ["TMPDIR"])
        os.chmod("folder", 0)
        raise RuntimeError("dug")


class FillsFolder:
    def act(self, observation: Any) -> int:
        for number in range(2**16 + 1):
            os.close(os.open(str(number), os.O_CREAT))
        return 0


class Links:
    """Leads out of its folder, and cannot take a file in."""

    def act(self, observation: Any) -> int:
        os.symlink(HERE, "up")
        os.mkfifo("pipe")
        os.link(__file__, "down")
        return 0


class ChangesModes:
    def act(self, observation: Any) -> int:
        os.chmod(__file__, stat.S_IMODE(os.stat(__file__).st_mode))
        return 0


class SharesMemory:
    """A segment of System V, which outlives whoever made it."""

    def act(self, observation: Any) -> int:
        if ctypes.CDLL(None).shmget(0, 4096, 0o1600) < 0:
            raise OSError("no segment")
        return 0


class Stops:
    def act(self, observation: Any) -> int:
        os.kill(os.getpid(), signal.SIGSTOP)
        return 0


class EndsBySignalWithoutName:
    def act(self, observation: Any) -> int:
        os.kill(os.getpid(), signal.SIGRTMIN + 6)
        return 0


class ClosesConnection:
    def act(self, observation: Any) -> int:
        socket.socket(fileno=int(sys.argv[1])).close()
        return 0


class Looks:
    """Tells whom it sees, and who is its parent."""

    def act(self, observation: Any) -> int:
        seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
        raise RuntimeError(f"{seen} from {os.getppid()}")
