"""What each experiment consists of: cells of a task, a label and a plan."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np

from baselines.algorithms.registry import INTERACTIONS
from baselines.runs.plan import RunPlan, make_plan
from stmg_envs import make_game
from stmg_envs.errors import UnknownNameError


@dataclass(frozen=True)
class Cell:
    """One algorithm on one task.

    Attributes:
        task: task name in results files.
        label: algorithm name in results files.
        algorithm: registry name.
        env_id: environment id.
        env_args: arguments of the game.
        runs: number of seeds if nobody asks otherwise.
        priority: agent names in order of decision, or the game's default.
        config: explicit fields of the configuration.
        first_seed: the seeds are this one and those after it.
    """

    task: str
    label: str
    algorithm: str
    env_id: str
    env_args: dict[str, Any]
    runs: int
    priority: tuple[str, ...] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    first_seed: int = 0

    def seeds(self, runs: int | None = None) -> range:
        """The seeds of so many runs; the cell's own number by default."""
        return range(self.first_seed, self.first_seed + (runs or self.runs))

    def plan(self, seeds: Sequence[int], device: str) -> RunPlan:
        """The plan of some of its seeds."""
        return make_plan(
            self.algorithm,
            self.env_id,
            seeds=seeds,
            env_args=self.env_args,
            device=device,
            priority=self.priority,
            config=self.config,
        )


@dataclass(frozen=True)
class Measure:
    """What a page shows of the final greedy policies, for the tasks that have it.

    Attributes:
        metric: its name in results files.
        title: heading of its table.
        meaning: what one run contributes.
        of_runs: whether a run either has it or not, so that what counts is the share of runs.
        published: the name of the published number to set beside it.
    """

    metric: str
    title: str
    meaning: str
    of_runs: bool = False
    published: str | None = None


OPTIMAL = Measure("optimal", "Share of runs at the optimum, percent", "the final greedy policy", True, "rate")
RETURN = Measure("return", "Return", "return (mean over agents, undiscounted)", published="return")


@dataclass(frozen=True)
class Experiment:
    """A table of cells.

    Attributes:
        name: names its folder under docs/results.
        title: what it shows, for people.
        cells: all of its cells, row by row.
        published: published numbers, task -> label -> {"return": ..., "rate": ...}.
        measures: what the page shows, a table each; the curves are of a task's first.
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    published: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = (OPTIMAL, RETURN)

    def select(self, labels: Sequence[str], tasks: Sequence[str]) -> tuple[Cell, ...]:
        """The cells of some labels and tasks; all of them for empty lists.

        Raises:
            UnknownNameError: for a label or task that the experiment does not have.
        """
        for kind, chosen, known in (
            ("algorithm", labels, dict.fromkeys(cell.label for cell in self.cells)),
            ("game", tasks, dict.fromkeys(cell.task for cell in self.cells)),
        ):
            for name in chosen:
                if name not in known:
                    raise UnknownNameError(
                        f"{kind}={name!r} is not in {self.name}; expected one of {list(known)}"
                    )
        return tuple(
            cell
            for cell in self.cells
            if (not labels or cell.label in labels) and (not tasks or cell.task in tasks)
        )


def _tables() -> dict[str, Any]:
    return tomllib.loads((files("baselines.reproduce") / "tables.toml").read_text(encoding="utf-8"))


def table1() -> Experiment:
    """The matrix-game table of the STEER paper."""
    data = _tables()
    cells = tuple(
        Cell(name, algorithm, algorithm, task["env_id"], task.get("env_args", {}), task["runs"])
        for algorithm in data["table1"]["algorithms"]
        for name, task in data["tasks"].items()
    )
    return Experiment("table1", "Matrix games: share of runs at the optimum", cells, data["published"])


def tuning() -> Experiment:
    """The same settings tried for every algorithm, on seeds that no other experiment uses."""
    data = _tables()
    budget = data["tuning"]
    cells = tuple(
        Cell(
            name,
            f"{algorithm}: {label}",
            algorithm,
            data["tasks"][name]["env_id"],
            data["tasks"][name].get("env_args", {}),
            budget["runs"][name],
            config=config,
            first_seed=budget["first_seed"],
        )
        for algorithm in data["table1"]["algorithms"]
        for label, config in budget["settings"].items()
        for name in budget["runs"]
    )
    return Experiment("tuning", "What every algorithm was tried with", cells)


def ablation() -> Experiment:
    """STEER without one of its parts."""
    data = _tables()
    cells = tuple(
        Cell(name, label, "steer", task["env_id"], task.get("env_args", {}), task["runs"], config=config)
        for label, config in data["ablation"].items()
        for name, task in data["tasks"].items()
    )
    return Experiment("ablation", "STEER and its ablations on the matrix games", cells)


RANDOM_GAME_SEED = 22
"""The first in whose game the order matters much, four equilibria among six orders, and none of them hangs on
a follower that is indifferent: nothing in its own rewards would teach it the reply that the leader needs."""


def random_three_agent_game() -> list[Any]:
    """Integer payoffs in -10..10 for three agents with three actions each, from a fixed seed."""
    payoffs = np.random.default_rng(RANDOM_GAME_SEED).integers(-10, 11, size=(3, 3, 3, 3))
    listed: list[Any] = payoffs.tolist()
    return listed


def priority() -> Experiment:
    """STEER under every order of decision; the optimum is the Stackelberg equilibrium of the order."""
    data = _tables()
    by_order = {"target": "stackelberg"}
    random_args = {"payoffs": random_three_agent_game()} | by_order
    games: list[tuple[str, str, dict[str, Any], int]] = [
        ("mixing", "stmg/Mixing-v0", {}, data["tasks"]["mixing"]["runs"]),
        ("coordination", "stmg/Coordination-v0", by_order, data["tasks"]["coordination"]["runs"]),
        ("random_three_agents", "stmg/MatrixGame-v0", random_args, data["tasks"]["mixing"]["runs"]),
    ]
    cells = tuple(
        Cell(task, "steer " + ">".join(name[-1] for name in order), "steer", env_id, args, runs, order)
        for task, env_id, args, runs in games
        for order in itertools.permutations(make_game(env_id, **args).agents)
    )
    return Experiment("priority", "STEER under every order of decision", cells)


def dri() -> Experiment:
    """The matrix games of the DRI paper, with every reward interaction."""
    data = _tables()["dri"]
    cells = tuple(
        Cell(game, f"{family}-{interaction}", f"{family}-{interaction}", env_id, {}, data["runs"])
        for family in data["algorithms"]
        for interaction in INTERACTIONS
        for game, env_id in data["games"].items()
    )
    return Experiment("dri", "Differential reward interaction on matrix games", cells)


EXPERIMENTS = {"table1": table1, "dri": dri, "tuning": tuning, "ablation": ablation, "priority": priority}
