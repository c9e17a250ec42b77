"""Output that nobody reads: what has been computed does not end with who listened."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

NO_READER = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF)


class PatientConsole(Console):
    """A console whose program goes on where its reader has gone."""

    def on_broken_pipe(self) -> None:
        _forget()


@contextmanager
def silent() -> Iterator[None]:
    """Lose what cannot be printed, as the reader is gone or the disk is full, and go on."""
    try:
        yield
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError) as error:
        if not _unheard(error):
            raise
        _forget()


def _unheard(error: OSError | ValueError) -> bool:
    """Whether an error tells of output that cannot be written."""
    if isinstance(error, OSError):
        return error.errno in NO_READER
    return "closed file" in str(error)


def _forget() -> None:
    """Let what is still in the buffers go where it disturbs nobody, also when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            try:
                os.dup2(nowhere, stream.fileno())
            except (OSError, ValueError):
                continue
    os.close(nowhere)
