"""What the registry knows of a task by its name: family and score bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.names import short_name
from baselines.evaluation.results import ENVIRONMENT, task_name
from stmg_envs import game_spec, list_envs
from stmg_envs.spec import Bounds

OTHER = "other"
"""Family of tasks that are none of the registry's."""


@dataclass(frozen=True)
class Task:
    """A game with its arguments, as results name it.

    Attributes:
        name: such as `penalty(k=-100)`; the tasks of other environments begin with their environment's name.
        family: the registry's, or "other".
        bounds: returns that count as scores 0 and 1, or None if the registry has none.
    """

    name: str
    family: str
    bounds: Bounds | None

    @property
    def slug(self) -> str:
        """The name as part of a file name: `penalty-k-minus-100`."""
        words = re.sub(r"[^a-z0-9.]+", "-", self.name.replace("=-", "-minus-")).strip("-.")
        return short_name(words) or "task"

    def scores(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns on the scale of the bounds; NaN where there are none."""
        if self.bounds is None:
            return np.full_like(returns, np.nan)
        low, high = self.bounds
        return (returns - low) / (high - low)


def find_task(environment: str, name: str) -> Task:
    """The task of an environment and a name in a results file, both in lower case."""
    if environment != ENVIRONMENT:
        return Task(f"{environment}/{name}", OTHER, None)
    game = name.partition("(")[0]
    families = {row.name.lower(): row.family for row in map(game_spec, list_envs())}
    return Task(name, families.get(game, OTHER), known_bounds().get(name))


def known_bounds() -> dict[str, Bounds]:
    """The bounds of every task that has any, by its name."""
    return _bounds(tuple(list_envs()))


@cache
def _bounds(ids: tuple[str, ...]) -> dict[str, Bounds]:
    bounds = {}
    for row in map(game_spec, ids):
        for arguments, values in (({}, row.bounds), *row.other_bounds):
            if values is not None:
                bounds[task_name(row.id, arguments)] = values
    return bounds
