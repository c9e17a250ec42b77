"""The one way in which a folder is made: it appears as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from baselines.storage.writing import PARTIAL, sync_folder

REPLACED = ".replaced"
"""Ends the name of a folder that is being replaced."""


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, which is at `path` when everything has been written, and not before.

    Args:
        path: the folder; those above it are made.

    Yields:
        Where to write: a hidden folder beside it. One that a crash left is taken away.

    Raises:
        FileExistsError: if there is something already.
        OSError: if it cannot be made.
    """
    path = path.absolute()
    if path.exists():
        raise FileExistsError(str(path))
    with _written(path, lambda partial: partial.rename(path)) as partial:
        yield partial


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, whose contents replace those of `path` all at once when it is left.

    Other files of a folder that is there already stay. A crash leaves the old one or the new one; if it
    comes between their renames, neither, and the old one hidden beside it, which the next writer puts back.

    Args:
        path: the folder.

    Yields:
        Where to write.

    Raises:
        OSError: if it cannot be made; what there was stays.
    """
    path = path.resolve()
    _put_back(path)
    try:
        with _written(path, lambda partial: _replace(path, partial)) as partial:
            if path.exists():
                shutil.copytree(path, partial, symlinks=True, copy_function=_same_file, dirs_exist_ok=True)
            yield partial
    finally:
        _put_back(path)


@contextmanager
def _written(path: Path, place: Callable[[Path], object]) -> Iterator[Path]:
    """A hidden folder beside a path, put into its place at the end, or taken away if anything fails."""
    partial = _beside(path, PARTIAL)
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    try:
        yield partial
        place(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(path.parent)


def _replace(path: Path, partial: Path) -> None:
    """Put a folder into the place of another one."""
    if path.exists():
        path.rename(_beside(path, REPLACED))
    partial.rename(path)


def _put_back(path: Path) -> None:
    """Have a folder that is half replaced where it was, and nothing else of it."""
    replaced = _beside(path, REPLACED)
    if path.exists():
        shutil.rmtree(replaced, ignore_errors=True)
    elif replaced.exists():
        replaced.rename(path)


def _beside(path: Path, ending: str) -> Path:
    """A hidden folder of a similar name."""
    return path.with_name(f".{path.name}{ending}")


def _same_file(source: str, target: str) -> None:
    """A second name of a file; writers give names to new files and leave old ones alone."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
