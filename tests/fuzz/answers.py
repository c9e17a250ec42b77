"""Answers of a policy's process that are none: lines over its socket, and actions that are not the game's."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np

import stmg_envs
from baselines.policies.host import encode
from baselines.policies.play import Episodes
from baselines.policies.process import Limits, PolicyProcess
from fuzz.judge import Case, Kind
from fuzz.mutations import Rng, pick, spoiled_bytes, spoiled_json
from stmg_envs.protocol import seed_tensor

EPISODES = 3
GOOD = np.zeros(EPISODES, np.int64)
"""What every agent may do."""


class Line(PolicyProcess):
    """The near end of a connection on which a line lies, whatever is asked; there is no process behind it.

    Args:
        connection: the near end.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.policy, self.limits = "module:Policy", Limits(decision_seconds=2.0)
        self.batch, self.seconds, self.verdict = True, 0.0, None
        self._buffer = bytearray()
        self._connection = connection


class Fixed:
    """Decides the same in every turn.

    Args:
        action: for all episodes.
    """

    def __init__(self, action: Any) -> None:
        self.action = action

    def act(self, observation: Any) -> Any:
        return self.action


def line(rng: Rng, folder: Path) -> Case:
    """A line of JSON with one thing wrong."""
    good = {"action": encode(GOOD)}
    whole = bool(rng.integers(4))
    change, data = spoiled_json(rng, good) if whole else spoiled_bytes(rng, json.dumps(good).encode())
    # What comes behind the end of a line is another answer.
    return Case(f"line: {change}", lambda: _played(_read(data.replace(b"\n", b""))), _played(GOOD))


def action(rng: Rng, folder: Path) -> Case:
    """An array of numbers that is no action of the game."""
    wrong = pick(
        rng,
        (
            GOOD - 1,
            GOOD + 3,
            GOOD + 2**62,
            GOOD.astype(float),
            GOOD.astype(bool),
            GOOD * np.nan,
            GOOD[:, None],
            GOOD[:0],
            GOOD[0],
            np.zeros((EPISODES, 0), np.int64),
            np.zeros(EPISODES + 1, np.int64),
            np.full(EPISODES, 2**64 - 1, np.uint64),
            GOOD + 1j,
            np.array(["0"] * EPISODES),
        ),
    )
    return Case(f"action {wrong!r}", lambda: _played(wrong), _played(GOOD))


def _read(text: bytes) -> Any:
    """The action that a line holds."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(text + b"\n")
        return Line(near).act({"observation": np.zeros((EPISODES, 1))})


def _played(action: Any) -> Any:
    """The returns of episodes in which everybody decides so."""
    episodes = Episodes(stmg_envs.vector_env("stmg/Penalty-v0", EPISODES))
    episodes.play(Fixed(action), seed_tensor(0, EPISODES))
    return episodes.returns.tolist()


ANSWERS: dict[str, Kind] = {"lines of policies": line, "actions of policies": action}
