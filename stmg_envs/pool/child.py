"""How a process that obeys another one behaves: signals, its end, and errors that it sends."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import traceback

from stmg_envs.pool.errors import WorkerError


def be_child() -> None:
    """Leave Ctrl-C to the process that gives commands, and end with it."""
    # Ctrl-C goes to every process of a terminal; the one that gives commands decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    if sys.stderr is not None:
        faulthandler.enable()


def portable(error: Exception) -> Exception:
    """An error as it can be sent, with a note of where it was raised."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = WorkerError(f"{type(error).__name__}: {error}")
    error.add_note(f"in a worker process:\n{trace}")
    return error


def _end_with_parent() -> None:
    """Have Linux end this process with its parent, even in the middle of a step that never ends.

    The sentinel is a pipe that the parent holds open. When it closes, the kernel signals SIGIO, which ends a
    process that does not handle it. Elsewhere a worker whose parent is gone ends after the step.
    """
    parent = multiprocessing.parent_process()
    if sys.platform == "linux" and parent is not None:
        import fcntl

        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(parent.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)
