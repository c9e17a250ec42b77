"""Policies that answer in their host's place, over its connection."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any


def send(text: str) -> None:
    """Something before the host's own answer."""
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as connection:
        connection.sendall(text.encode())


def numbers(**changes: Any) -> str:
    """An answer that holds an action, with changes."""
    return json.dumps({"action": {"dtype": "<i8", "shape": [], "data": "AAAAAAAAAAA="} | changes}) + "\n"


class Tells:
    """Sends a text instead of the answer."""

    text = ""

    def act(self, observation: Any) -> int:
        send(self.text)
        return 0


class Nests(Tells):
    text = "[" * 100_000 + "\n"


class Lists(Tells):
    text = "[1, 2]\n"


class DigitsWithoutEnd(Tells):
    text = '{"action": ' + "9" * 100_000 + "}\n"


class NoBase64(Tells):
    text = numbers(data="%%%")


class NoShape(Tells):
    text = numbers(shape=[10**30])


class ShapeOfNames(Tells):
    text = numbers(shape={"a": "b"})


class NoDtype(Tells):
    text = numbers(dtype="(1e999,)(f8")


class Objects(Tells):
    text = numbers(dtype="O")


class DeepDetail(Tells):
    text = '{"failed": ["x"], "detail": ' + "[" * 900 + "]" * 900 + "}\n"


class Babbles(Tells):
    text = "x" * (2**22)


class Drips:
    """Never ends its line."""

    def act(self, observation: Any) -> int:
        while True:
            send("x")
            time.sleep(0.1)
