"""Suites: fixed sets of tasks over which scores are averaged."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Suite:
    """A set of tasks.

    Attributes:
        name: short, for links.
        title: for people.
        about: one sentence.
        tasks: task names; all of them have bounds in the registry.
    """

    name: str
    title: str
    about: str
    tasks: tuple[str, ...]


def list_suites() -> tuple[Suite, ...]:
    """All suites, as `suites.toml` has them."""
    text = (files("baselines.leaderboard") / "suites.toml").read_text(encoding="utf-8")
    return tuple(
        Suite(name, row["title"], row["about"], tuple(row["tasks"]))
        for name, row in tomllib.loads(text).items()
    )
