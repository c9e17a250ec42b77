"""A program that gives up rights and then becomes another one: `confine.py SETTINGS COMMAND...`.

What is given up holds for everything that the command starts. It runs by its path and imports nothing of this
package. Where the kernel has Landlock (Linux 5.13 and later), files can be written, made and removed in one
folder only, and since Linux 6.12 signals reach nothing outside. In namespaces, which `guard.py` makes where
it may, the program sees its own processes alone, changes nothing of other files, and its folder ends with it.
A few system calls that reach into other processes, or leave something behind, are refused everywhere.
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
CAPABILITIES_VERSION = 0x20080522

NEW_MOUNTS = 0x00020000
NO_SUID_DEV, NO_EXEC = 2 | 4, 8
SET_MOUNT_ATTRIBUTES, THE_WORKING_FOLDER, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1
"""A system call, the same on all architectures, and what it is told."""
MOST_FILES = 2**16

PR_SET_SECCOMP, SECCOMP_FILTER = 22, 2
PRLIMIT = {"x86_64": 302, "aarch64": 261}
REFUSED = {
    "x86_64": (29, 64, 68, 240, 248, 249, 250, 101, 310, 311),
    "aarch64": (194, 190, 186, 180, 217, 218, 219, 117, 270, 271),
}
"""shmget, semget, msgget, mq_open, add_key, request_key, keyctl, ptrace, process_vm_readv and _writev."""
AUDITED = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FIRST_OF_X32 = 0x40000000
LOAD, IF_EQUAL, IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of the kernel's packet filters."""
AT_NUMBER, AT_MACHINE, AT_ARGUMENT = 0, 4, 16
ALLOW, REFUSE = 0x7FFF0000, 0x00050001
"""The latter as what is not permitted."""

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


def hide(folder: str, size: int) -> None:
    """Mount a `/proc` of this namespace, everything read-only, and an empty folder of so many bytes.

    Each as far as the kernel allows it: containers may refuse the first.
    """
    if LIBC.unshare(NEW_MOUNTS):
        return
    LIBC.mount(b"proc", b"/proc", b"proc", NO_SUID_DEV | NO_EXEC, None)
    attributes = struct.pack("4Q", READ_ONLY, 0, 0, 0)
    LIBC.syscall(
        SET_MOUNT_ATTRIBUTES,
        THE_WORKING_FOLDER,
        b"/",
        RECURSIVE,
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    options = f"size={size},nr_inodes={MOST_FILES},mode=700".encode()
    LIBC.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", NO_SUID_DEV, options)
    os.chdir(folder)


def refuse_calls() -> None:
    """Have the kernel refuse some system calls, and limits of any process but the caller."""
    machine = os.uname().machine
    if machine not in REFUSED or struct.calcsize("P") != 8:
        return
    refused = REFUSED[machine]
    # Jumps are counted from the instruction that follows; all refusals lead to the last one.
    program = [
        (LOAD, 0, 0, AT_MACHINE),
        (IF_EQUAL, 0, len(refused) + 6, AUDITED[machine]),
        (LOAD, 0, 0, AT_NUMBER),
        (IF_AT_LEAST, len(refused) + 4, 0, FIRST_OF_X32),
        *((IF_EQUAL, len(refused) - place + 3, 0, number) for place, number in enumerate(refused)),
        (IF_EQUAL, 0, 2, PRLIMIT[machine]),
        (LOAD, 0, 0, AT_ARGUMENT),
        (IF_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    LIBC.prctl(PR_SET_SECCOMP, SECCOMP_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)), 0, 0)


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
    # Who has started this one is outside of its namespace.
    if os.getppid() == 0:
        hide(settings["folder"], settings["file_size"])
    # No program that is started gets back what is given up: rights of root, and of mounting.
    _checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(LIBC.capset(struct.pack("Ii", CAPABILITIES_VERSION, 0), bytes(24)))
    write_only_in(settings["folder"])
    refuse_calls()
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
