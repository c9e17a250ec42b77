"""The program in which somebody's policy lives.

It answers requests over a socket, one line of JSON each, arrays as their bytes. It runs by its path and
imports nothing of this package, so that it starts fast and leaves the memory to the policy.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Message = dict[str, Any]

LONGEST_DETAIL = 300
"""Characters of an error's message that are told; its traceback goes to the standard error stream."""
LARGEST_ACTION = 2**20
"""Bytes that actions may have."""


def encode(array: NDArray[Any]) -> Message:
    """An array of numbers as plain data."""
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def decode(message: Message) -> NDArray[Any]:
    """The array of plain data.

    Raises:
        KeyError, TypeError, ValueError: if it is no array of numbers.
    """
    dtype = np.dtype(str(message["dtype"]))
    if dtype.kind not in "biuf":
        raise ValueError(f"{dtype} is no number")
    data = base64.b64decode(message["data"], validate=True)
    return np.frombuffer(data, dtype).reshape(message["shape"]).copy()


class Host:
    """Loads, makes and asks one policy."""

    def __init__(self) -> None:
        self.kind: Any = None
        self.policy: Any = None

    def load(self, policy: str) -> Message:
        """Import a class; say what is not there."""
        module, _, name = policy.partition(":")
        self.kind = getattr(importlib.import_module(module), name, None)
        if not isinstance(self.kind, type):
            return {"failed": "crashed", "detail": f"{module} has no class {name!r}"}
        if not any(callable(getattr(self.kind, method, None)) for method in ("act", "act_batch")):
            return {"failed": "crashed", "detail": f"{name} has no method 'act' (nor 'act_batch')"}
        return {"batch": hasattr(self.kind, "act_batch")}

    def make(self, arguments: Message) -> Message:
        """Make the policy."""
        self.policy = self.kind(**arguments)
        return {}

    def reset(self, seed: int) -> Message:
        """Tell the policy, if it wants to know, that episodes begin."""
        if hasattr(self.policy, "reset"):
            self.policy.reset(seed)
        return {}

    def act(self, method: str, observation: Message) -> Message:
        """Ask the policy for an action, or for one per row."""
        view = {name: decode(value)[()] for name, value in observation.items()}
        action = getattr(self.policy, method)(view)
        try:
            array = np.asarray(action)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "biuf" or array.nbytes > LARGEST_ACTION:
            return {"failed": "invalid action", "detail": f"{method} returned {_short(action)}"}
        return {"action": encode(array)}


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "..."


def answer(ask: Callable[..., Message], arguments: Message) -> Message:
    """The answer to a request, or what the policy raised."""
    try:
        return ask(**arguments)
    except Exception as error:
        traceback.print_exc()
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
        failed = "out of memory" if isinstance(error, MemoryError) else "crashed"
        return {"failed": failed, "detail": f"{type(error).__name__}: {str(error)[:LONGEST_DETAIL]}{where}"}


def main() -> None:
    """Answer until the other end closes; a process that the policy has forked does not answer."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    sys.path.insert(0, sys.argv[2])
    host, own = Host(), os.getpid()
    with connection.makefile("rwb") as stream:
        for line in stream:
            request = json.loads(line)
            reply = answer(getattr(host, request.pop("ask")), request)
            if os.getpid() != own:
                os._exit(0)
            stream.write(json.dumps(reply).encode() + b"\n")
            stream.flush()


if __name__ == "__main__":
    main()
