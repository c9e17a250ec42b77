"""Worker processes as the process sees them that starts them, waits for them, and ends them."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from stmg_envs.pool.worker import Answer, Share, serve
from stmg_envs.protocol import Command

CLOSING_SECONDS = 5.0
"""What workers get to close their environments."""


@dataclass(frozen=True)
class Loss:
    """A worker that will not answer any more.

    Attributes:
        reason: what happened to it.
    """

    reason: str


def process_context(modules: Sequence[str]) -> BaseContext:
    """How workers are started: forked from a server that has imported what they need and has no threads.

    A fork of this process would inherit locks that threads of torch hold. Where there are no forks, fresh
    interpreters import everything anew.

    Args:
        modules: what they need, unless the server of this process has been started for others already.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    return context


class Worker:
    """One worker process at a time, with its part of the environments.

    Args:
        context: how processes are started.
        share: its environments.
        number: its number in the pool.

    Attributes:
        answer: what came of what it was last asked; None until that is known.
    """

    def __init__(self, context: BaseContext, share: Share, number: int) -> None:
        self.share = share
        self.answer: Answer | Loss | None = None
        self._context = context
        self._name = f"stmg worker {number}"
        self.start()

    def __str__(self) -> str:
        rows = self.share.rows
        return f"{self._name} (environments {rows.start}..{rows.stop - 1})"

    def start(self) -> None:
        """Start a process; its first answer, an empty one, says that its environments are made."""
        self.answer = None
        self.connection, theirs = self._context.Pipe()
        self.process: BaseProcess = self._context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs, self.share), daemon=True, name=self._name
        )
        self.process.start()
        theirs.close()

    def ask(self, command: Command) -> None:
        """Give a command."""
        self.answer = None
        try:
            self.connection.send(command)
        except OSError:
            self._miss()

    def listen(self) -> None:
        """Take the answer that it has sent, or see that it is gone."""
        try:
            self.answer = self.connection.recv()
        except (EOFError, OSError):
            self._miss()

    def _miss(self) -> None:
        """See how it ended."""
        self.process.join(CLOSING_SECONDS)
        self.answer = Loss(ending(self.process.exitcode))

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self.connection.close()
        self.process.kill()
        self.process.join()


def ending(exitcode: int | None) -> str:
    """How a process ended, in words; None is one that has only stopped listening."""
    if exitcode is None:
        return "closed its connection"
    if exitcode < 0:
        # Those for real time have no names.
        known = -exitcode in set(signal.Signals)
        return f"was ended by {signal.Signals(-exitcode).name if known else f'signal {-exitcode}'}"
    return f"ended with exit code {exitcode}"


def gather(workers: Sequence[Worker], seconds: float) -> None:
    """Wait until all workers have answered; those that have not after so many seconds are lost.

    It may be interrupted and called again: no answer is forgotten.
    """
    deadline = time.monotonic() + seconds
    while any(worker.answer is None for worker in workers):
        if not listen(workers, max(0.0, deadline - time.monotonic())):
            for worker in workers:
                if worker.answer is None:
                    worker.answer = Loss(f"gave no answer in {seconds:g} s")


def listen(workers: Sequence[Worker], seconds: float = 0.0) -> bool:
    """Take the answers of those who have one; wait until somebody has, but no longer than so many seconds.

    Returns:
        Whether somebody had.
    """
    awaited = {worker.connection: worker for worker in workers if worker.answer is None}
    ready = wait(list(awaited), seconds)
    for worker in [worker for connection, worker in awaited.items() if connection in ready]:
        worker.listen()
    return bool(ready)


def end(workers: Sequence[Worker]) -> None:
    """Have all workers close their environments and end; who does not in time is killed."""
    for worker in workers:
        worker.connection.close()
    deadline = time.monotonic() + CLOSING_SECONDS
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
