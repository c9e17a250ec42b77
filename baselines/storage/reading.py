"""The one way in which files of others are read: what is no plain file is refused before it is opened."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stmg_envs.errors import InvalidArgumentError

MOST_BYTES = 2**30
"""Of a file, at most, unless whoever reads it knows better."""
MOST_LEVELS = 64
"""Of lists and objects within each other; whatever walks through them later calls itself as often."""
LARGEST_INTEGER = 2**64
"""Beyond it nothing counts or seeds, and most of what computes with a number cannot hold it."""


def require_plain(path: Path, most: int = MOST_BYTES) -> None:
    """Make sure that a path is a plain file that belongs to its folder.

    A pipe would be waited for without an end, a device has no end, and a link to elsewhere would show what
    is not in the folder that somebody handed over.

    Args:
        path: the file.
        most: its bytes at most.

    Raises:
        InvalidArgumentError: if it is not.
        FileNotFoundError: if there is nothing.
    """
    try:
        found = path.stat()
        if not path.resolve().is_relative_to(path.parent.resolve()):
            raise InvalidArgumentError(
                f"{path} is a link out of its folder, to {path.resolve()}; put a copy there instead"
            )
    except FileNotFoundError:
        raise
    # A name with a zero in it, or a link that leads to itself.
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path} cannot be read ({error}); expected a plain file") from None
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFIFO: "a pipe", stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket"}
        kind = kinds.get(stat.S_IFMT(found.st_mode), "a device")
        raise InvalidArgumentError(f"{path} is {kind}; expected a plain file")
    if found.st_size > most:
        raise InvalidArgumentError(f"{path} has {found.st_size:,} bytes; expected at most {most:,}")


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a plain file holds.

    Raises:
        InvalidArgumentError: if it is none, is too large, or cannot be read.
        FileNotFoundError: if there is nothing.
    """
    require_plain(path, most)
    try:
        # Whatever has taken its place meanwhile is not waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            return file.read(most + 1)[:most]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read ({error}); expected a plain file") from None


def read_json(path: Path, most: int = MOST_BYTES) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidArgumentError: if the file is missing, no plain file, or holds no JSON object in UTF-8; also if
            it has too many levels, or numbers that are not finite or too large.
    """
    try:
        text = read_bytes(path, most).decode("utf-8")
        data = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_integer,
        )
    except FileNotFoundError:
        raise InvalidArgumentError(f"{path} does not exist; expected a file of a run directory") from None
    except InvalidArgumentError:
        raise
    # Text in another encoding, a number of too many digits and lists in too many lists are no JSON either.
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{path} is no JSON ({error}); restore it or train again") from None
    if not isinstance(data, dict):
        found = type(data).__name__
        raise InvalidArgumentError(f"{path} holds a {found}; expected a JSON object, which begins with {{")
    if _levels(data) > MOST_LEVELS:
        raise InvalidArgumentError(
            f"{path} has more than {MOST_LEVELS} levels, lists within lists; restore it or train again"
        )
    return data


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two entries of one name, one would be lost without a word."""
    table = dict(pairs)
    if len(table) < len(pairs):
        name = next(name for name in table if sum(other == name for other, _ in pairs) > 1)
        raise ValueError(f"{name!r} stands twice in one object")
    return table


def _no_number(token: str) -> None:
    raise ValueError(f"{token} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large for a number")
    return number


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > LARGEST_INTEGER:
        raise ValueError(f"{digits[:20]}... is too large; expected at most {LARGEST_INTEGER}")
    return int(digits)


def _levels(data: Any) -> int:
    """How deep lists and objects lie within each other, found without calling itself."""
    level, count = [data], 0
    while level:
        count += 1
        level = [inner for outer in level for inner in _inner(outer) if isinstance(inner, dict | list)]
    return count


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
