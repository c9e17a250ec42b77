"""Suites: fixed sets of tasks over which scores are averaged."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from baselines.errors import ResultsError
from baselines.leaderboard.tasks import known_bounds
from stmg_envs.arguments import require_text, shown
from stmg_envs.errors import InvalidArgumentError, suggestion
from stmg_envs.open_table import OpenTable

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Suite:
    """A set of tasks.

    Attributes:
        name: short, for links.
        title: for people.
        about: one sentence.
        tasks: task names; all of them have bounds in the registry.

    Raises:
        ResultsError: for a row that is none.
    """

    name: str
    title: str
    about: str
    tasks: tuple[str, ...]

    def __post_init__(self) -> None:
        for what, example in (("name", "my-suite"), ("title", "My games"), ("about", "What I look at.")):
            require_text(what, getattr(self, what), example)
        if not NAME.fullmatch(self.name):
            raise ResultsError(f"name={shown(self.name)} is no name; expected one such as 'my-suite'")
        if not isinstance(self.tasks, tuple) or not self.tasks:
            raise ResultsError(f"tasks={shown(self.tasks)} of {self.name} are none; expected names of tasks")


def _own_suites() -> Iterator[Suite]:
    text = (files("baselines.leaderboard") / "suites.toml").read_text(encoding="utf-8")
    for name, row in tomllib.loads(text).items():
        yield Suite(name, row["title"], row["about"], tuple(row["tasks"]))


def _require_foreign(name: str) -> None:
    """Raise InvalidArgumentError unless a name may be somebody else's."""
    if not NAME.fullmatch(name) or "-" not in name:
        raise InvalidArgumentError(
            f"name={shown(name)} is no name of another package's suite; expected small letters and digits, "
            f"with a namespace of its own before a dash, such as 'my-suite'"
        )


def _require_bounds(suite: Suite) -> None:
    """Raise ResultsError for a task without bounds: it has no scores that could be averaged."""
    known = known_bounds()
    for task in suite.tasks:
        if task not in known:
            raise ResultsError(
                f"task={shown(task)} of {suite.name} has no bounds in the registry, so it has no scores; "
                f"{suggestion(str(task), known)}"
            )


SUITES = OpenTable(
    "stmg.suites", _own_suites(), lambda row: row.name, Suite, _require_foreign, _require_bounds
)
"""Suites by name; packages name theirs as entry points of the group `stmg.suites`."""


def list_suites() -> tuple[Suite, ...]:
    """All suites, those of other packages included."""
    return tuple(SUITES.values())
