"""Changes that leave nothing well formed: of bytes, of JSON, of tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Rng = np.random.Generator
Place = tuple[str | int, ...]

WRONG: tuple[tuple[str, Any], ...] = (
    ("null", None),
    ("true", True),
    ("number", -7.5),
    ("text", "nonsense"),
    ("text of a number", "3"),
    ("empty text", ""),
    ("half a surrogate pair", "\ud800"),
    ("text with a zero", "a\0b"),
    ("long text", "x" * 500),
    ("array", [1, "2", None]),
    ("empty array", []),
    ("array of arrays", [[[]], [1.0, [2.0]]]),
    ("object", {"a": {"b": [None]}}),
    ("empty object", {}),
)
"""Values of every type of JSON."""

NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 400, "9" * 6000, "1" + "0" * 25)
"""What stands for no number that anything can be computed with, as it is written."""


def places(value: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value inside of another one, and where it is."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*here, name), part
        yield from places(part, (*here, name))


def changed(value: Any, place: Place, change: Callable[[Any, Any], None]) -> Any:
    """A copy in which something has happened to the container of a place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    change(inner, place[-1])
    return copy


def pick(rng: Rng, choices: Any) -> Any:
    """One of several."""
    return choices[int(rng.integers(len(choices)))]


def spoiled_json(
    rng: Rng, data: Any, may_miss: Callable[[Place], bool] = lambda place: False
) -> tuple[str, bytes]:
    """JSON with one thing wrong.

    Args:
        rng: chooses what.
        data: the value before.
        may_miss: whether what is at a place may as well not be there.

    Returns:
        The change in words, and the file.
    """
    place, value = pick(rng, list(places(data)))
    where = ".".join(map(str, place))
    what = int(rng.integers(8))
    if what == 0:
        return spoiled_bytes(rng, json.dumps(data).encode())
    if what == 1 and isinstance(place[-1], str) and not may_miss(place):
        return f"without {where}", _dumped(changed(data, place, lambda inner, name: inner.pop(name)))
    if what == 2:
        token = pick(rng, NUMBERS)
        text = _dumped(changed(data, place, _set("@@")))
        return f"{where}={token[:30]}", text.replace(b'"@@"', token.encode())
    if what == 3:
        levels = int(pick(rng, (40, 200, 900, 1500, 100_000)))
        text = _dumped(changed(data, place, _set("@@")))
        return f"{where} in {levels} arrays", text.replace(b'"@@"', b"[" * levels + b"]" * levels)
    if what == 4 and isinstance(place[-1], str):
        text = _dumped(changed(data, place, _set("@@")))
        twice = f'"@@", {json.dumps(place[-1])}: {json.dumps(value)}'.encode()
        return f"{where} twice", text.replace(b'"@@"', twice)
    # Another number may be meant of a game's own argument.
    known = {type(value)} | ({float} if "env_args" in place else set())
    name, wrong = pick(rng, [entry for entry in WRONG if type(entry[1]) not in known])
    return f"{where} is {name}", _dumped(changed(data, place, _set(wrong)))


def _set(value: Any) -> Callable[[Any, Any], None]:
    def change(inner: Any, name: Any) -> None:
        inner[name] = value

    return change


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def spoiled_bytes(rng: Rng, data: bytes) -> tuple[str, bytes]:
    """Bytes that are cut off, empty, overwritten, or in another encoding."""
    at = int(rng.integers(1, max(len(data) - 2, 2)))
    return pick(
        rng,
        (
            (f"cut off after {at} bytes", data[:at]),
            ("empty", b""),
            (f"a zero at {at}", data[:at] + b"\0" + data[at:]),
            (f"no UTF-8 at {at}", data[:at] + b"\xff\xfe\x80" + data[at:]),
            ("in UTF-16", data.decode("latin-1").encode("utf-16")),
            ("only zeros", bytes(len(data))),
            (f"without byte {at}, with brackets", data[:at] + b"}]{[" + data[at + 1 :]),
            ("noise", rng.bytes(100)),
        ),
    )
