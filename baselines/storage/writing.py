"""The one way in which a file is made anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PARTIAL = ".partial"
"""Ends the name of a file that is not whole yet; one that a crash left is written over."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that appears as a whole: whenever the machine stops, there is the old one or the new one.

    Args:
        path: the file; one that exists is replaced.
        data: what it holds.

    Raises:
        OSError: if it cannot be written, for instance because the disk is full; nothing of it stays then.
    """
    temporary = path.with_name(path.name + PARTIAL)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        # What a full disk says names no file.
        raise OSError(error.errno, error.strerror, str(path)) from None
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, as `write_bytes` does."""
    # Names that others chose may hold halves of surrogate pairs, which have no encoding.
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_json(path: Path, data: Any) -> None:
    """Write JSON, as `write_bytes` does.

    Raises:
        ValueError: for a number that is not finite, which JSON has no word for.
    """
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def sync_folder(folder: Path) -> None:
    """Have the disk know the names in a folder, where the system lets folders be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
