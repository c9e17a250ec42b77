"""The one way in which a file grows: whole lines at its end."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType


class AppendLog:
    """A file of lines that are added as they come.

    Whatever stopped the last writer may have cut its last line, or left zeros of it: that end is taken off
    when the log is opened, so that no line is ever joined to half of another.

    Args:
        path: the file; made if it does not exist.

    Raises:
        OSError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Without a buffer, which would try again on closing what a full disk had refused.
        self._file = path.open("ab", buffering=0)
        self._file.truncate(_whole(path))

    def __enter__(self) -> AppendLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def empty(self) -> bool:
        """Whether there is no line."""
        return not os.fstat(self._file.fileno()).st_size

    def append(self, lines: str) -> None:
        """Add whole lines, each with its end; they are with the system when this returns.

        Raises:
            OSError: if they cannot be written, for instance because the disk is full; what there was of them
                is taken off again where that is possible.
        """
        before = os.fstat(self._file.fileno()).st_size
        rest = lines.encode("utf-8", errors="backslashreplace")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(before)
            raise OSError(error.errno, error.strerror, str(self.path)) from None

    def sync(self) -> None:
        """Have the lines so far on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """End writing."""
        self._file.close()


def _whole(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 2**16)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
