"""A program that gives up rights and then becomes another one: `confine.py SETTINGS COMMAND...`.

What is given up holds for everything that the command starts. It runs by its path and imports nothing of this
package. Where the kernel has Landlock (Linux 5.13 and later), files can be written, made and removed in one
folder only, and since Linux 6.12 signals reach nothing outside.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import resource
import signal
import struct
import sys
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's system calls, the same on all architectures."""
VERSION_FLAG, PATH_BENEATH = 1, 1
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
CHANGES = sum(1 << bit for bit in (1, *range(4, 13)))
"""Writing files; removing and making entries of folders."""
SINCE = ((2, 1 << 13), (3, TRUNCATE))
"""Later rights by the version of Landlock that knows them: moving between folders, cutting files."""
SCOPED = 0b11
"""Abstract sockets and signals, since version 6."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/nvidia*", "/dev/dri/*", "/dev/kfd")
"""What may be written elsewhere: nothing, and accelerators."""


def landlock_version() -> int:
    """The version of the kernel's Landlock, 0 where there is none."""
    return max(0, LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG))


def write_only_in(folder: str) -> None:
    """Have the kernel refuse what changes files outside a folder.

    Raises:
        OSError: if the kernel refuses.
    """
    version = landlock_version()
    if not version:
        return
    rights = CHANGES | sum(right for since, right in SINCE if version >= since)
    # The structure grew with the versions: file rights, network rights, scopes.
    handled = (rights, 0, SCOPED)[: 1 if version < 4 else 2 if version < 6 else 3]
    attributes = struct.pack(f"{len(handled)}Q", *handled)
    rules = _checked(LIBC.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    devices = [path for pattern in DEVICES for path in glob.glob(pattern)]
    of_files = rights & (WRITE_FILE | TRUNCATE)
    for path, allowed in [
        (folder, rights),
        *((path, of_files) for path in devices if not os.path.isdir(path)),
    ]:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _checked(LIBC.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", allowed, opened), 0))
        os.close(opened)
    _checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(LIBC.syscall(RESTRICT_SELF, rules, 0))
    os.close(rules)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def main() -> None:
    """Set limits and run the command in this process's place."""
    settings: dict[str, Any] = json.loads(sys.argv[1])
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for limit, most in (
        # What a process may write to; address space that is only reserved, as CUDA does, does not count.
        (resource.RLIMIT_DATA, settings["memory"]),
        (resource.RLIMIT_FSIZE, settings["file_size"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (least, least))
    write_only_in(settings["folder"])
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
