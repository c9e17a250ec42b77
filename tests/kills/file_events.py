"""Count what a process does to files, and kill it at one of these events.

It stands in for a fault injector of the system: every opening for writing, every write, rename, removal and
flush to the disk beneath a folder counts. A write that is the last one is done by half.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

ONE_PATH = ("mkdir", "rmdir", "unlink", "remove", "truncate")
TWO_PATHS = ("rename", "replace", "link", "symlink")
DESCRIPTORS = ("fsync", "ftruncate")


class FileEvents:
    """Counts events beneath a folder once it is installed.

    Args:
        folder: where files count.
        last: the number of the event at which the process is killed, or 0.

    Attributes:
        count: events so far.
    """

    def __init__(self, folder: Path, last: int) -> None:
        self.folder, self.last, self.count = f"{folder}{os.sep}", last, 0

    def happens(self) -> bool:
        """Count an event; whether it is the last one."""
        self.count += 1
        return self.count == self.last

    def before(self) -> None:
        """Count an event that does not happen if it is the last one."""
        if self.happens():
            os.kill(os.getpid(), signal.SIGKILL)

    def beneath(self, path: Any) -> bool:
        """Whether a path is beneath the folder."""
        return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self.folder)

    def install(self) -> None:
        """Have all of this process's files counted from now on."""
        for name in ONE_PATH + TWO_PATHS:
            setattr(os, name, self._counting_paths(getattr(os, name)))
        for name in DESCRIPTORS:
            setattr(os, name, self._counting(getattr(os, name)))
        real = io.open

        def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
            if not self.beneath(file) or not set(mode) & set("wax+"):
                return real(file, mode, buffering, *rest, **more)
            self.before()
            raw = _Torn(self, file, mode.replace("b", "").replace("t", ""))
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **more)

        builtins.open = io.open = opened  # type: ignore[assignment]

    def _counting_paths(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            # A name in an open folder is one of a folder that is taken away file by file.
            if self.beneath(arguments[-1]) or more.get("dir_fd") is not None:
                self.before()
            return real(*arguments, **more)

        return counted

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.before()
            return real(*arguments)

        return counted


class _Torn(io.FileIO):
    """A file whose last write is done by half."""

    def __init__(self, events: FileEvents, path: Any, mode: str) -> None:
        super().__init__(path, mode)
        self._events = events

    def write(self, data: Any) -> int:
        if self._events.happens():
            super().write(memoryview(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(data)
