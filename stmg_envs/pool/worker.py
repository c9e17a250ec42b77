"""What runs in a worker process: a block of environments that does what it is told."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch

from stmg_envs.pool.errors import WorkerError
from stmg_envs.pool.memory import SharedTables
from stmg_envs.protocol import Command, Metrics, ParallelBlock, ParallelSpaces, rows_of_tables

Answer = list[Metrics] | Exception
"""The metrics of each environment, or what one of them raised."""


@dataclass(frozen=True)
class Share:
    """What a worker needs to know.

    Attributes:
        make: makes one environment, pickled.
        spaces: what learners know of the environments.
        tables: those of the whole batch.
        rows: which environments are the worker's.
    """

    make: bytes
    spaces: ParallelSpaces
    tables: SharedTables
    rows: slice

    def block(self) -> ParallelBlock:
        """The worker's environments."""
        import cloudpickle

        make = cloudpickle.loads(self.make)
        envs = [make() for _ in range(self.rows.start, self.rows.stop)]
        return ParallelBlock(
            envs, self.spaces, rows_of_tables(self.tables.open(), self.rows), self.rows.start
        )


def serve(connection: Connection, share: Share) -> None:
    """Make the environments, say so with an empty answer, and obey commands until the other end closes.

    Args:
        connection: to the process that gives commands.
        share: what is to be done here.
    """
    # Ctrl-C goes to every process of a terminal; the one that gives commands decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    if sys.stderr is not None:
        faulthandler.enable()
    torch.set_num_threads(1)
    try:
        block = share.block()
    except Exception as error:
        connection.send(_portable(error))
        return
    try:
        connection.send([])
        while True:
            command: Command = connection.recv()
            connection.send(_obey(block, command))
    except (EOFError, ConnectionError):
        block.close()


def _obey(block: ParallelBlock, command: Command) -> Answer:
    try:
        answer: list[Metrics] = getattr(block, command)()
        return answer
    except Exception as error:
        return _portable(error)


def _portable(error: Exception) -> Exception:
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
