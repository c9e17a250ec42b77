"""Policies that do what policies should not, and some that are as they should be."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

MARK = "STMG_TEST_MARK"
"""Variable that processes of a test have, by which they can be found."""


class Greedy:
    """Depends on everything that it sees, and draws numbers."""

    def reset(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def act(self, observation: dict[str, Any]) -> Any:
        legal = np.flatnonzero(observation["action_mask"])
        seen = observation["observation"].sum() + observation["leader_actions"].sum() + observation["rank"]
        return legal[int(abs(seen) * 7 + observation["agent"] + self.rng.integers(2)) % len(legal)]


class Together:
    """Takes the highest legal action in all episodes at once."""

    def act_batch(self, observations: dict[str, Any]) -> Any:
        width = observations["action_mask"].shape[1]
        return width - 1 - observations["action_mask"][:, ::-1].argmax(axis=1)


class Last:
    """Takes the highest legal action, whatever it is told."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def act(self, observation: dict[str, Any]) -> Any:
        return np.flatnonzero(observation["action_mask"])[-1]


class Vector:
    """Numbers that depend on what it sees."""

    def act(self, observation: dict[str, Any]) -> Any:
        width = observation["leader_actions"].shape[1]
        seen = observation["observation"].sum() + observation["leader_actions"].sum()
        return np.sin(seen + np.arange(width) + observation["agent"])


class Raises:
    def act(self, observation: Any) -> int:
        raise ValueError("no idea [bold]what\nto do")


class Sleeps:
    def act(self, observation: Any) -> int:
        time.sleep(1000)
        return 0


class Nan:
    def act(self, observation: Any) -> float:
        return float("nan")


class WrongShape:
    def act(self, observation: Any) -> list[int]:
        return [0, 1]


class OutOfRange:
    def act(self, observation: Any) -> int:
        return 99


class Allocates:
    def act(self, observation: Any) -> int:
        self.memory = np.ones(2**36)
        return 0


class Floods:
    def act(self, observation: Any) -> int:
        for _ in range(2000):
            print("x" * 5000)
        return 0


class Forks:
    def act(self, observation: Any) -> int:
        if observation["rank"] == 0 and os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        return 0


class Exits:
    def act(self, observation: Any) -> int:
        sys.exit(3)


class Writes:
    def act(self, observation: Any) -> int:
        Path("mine.txt").write_text("in its own folder")
        (Path(__file__).parent / "outside.txt").write_text("elsewhere")
        return 0


class Kills:
    def act(self, observation: Any) -> int:
        os.kill(os.getpid(), signal.SIGSEGV)
        return 0


class Grows:
    """In many processes, each of which has less than all may have."""

    def act(self, observation: Any) -> int:
        for _ in range(6):
            if os.fork() == 0:
                self.memory = np.ones(2**24)
                time.sleep(1000)
        time.sleep(1000)
        return 0


class Late:
    """Fails in the second of its episodes."""

    def __init__(self, leader: int = 0, follower: int = 0) -> None:
        self.actions, self.episodes = (leader, follower), 0

    def reset(self, seed: int) -> None:
        self.episodes += 1

    def act(self, observation: Any) -> int:
        if self.episodes == 2:
            raise RuntimeError("late")
        return self.actions[observation["rank"]]


class NoPolicy:
    pass
