"""What players that learn nothing do: played once, kept in a file beside the results of those that learn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import with_config
from typing_extensions import TypedDict

from baselines.evaluation.results import read_checked
from baselines.reproduce.archive import KEEP, PROVENANCE
from baselines.reproduce.experiment import PlayerCell
from baselines.reproduce.players import PLAYERS, play_instance
from baselines.runs.provenance import provenance
from baselines.storage import write_text
from stmg_envs import make_game


@with_config(KEEP)
class Played(TypedDict):
    """What a player did on a task: the metrics of every instance, and how it was made."""

    env_id: str
    env_args: dict[str, Any]
    seeds: list[int]
    metrics: dict[str, list[float]]


class Plays:
    """`players.json` of an experiment's folder: task -> player -> what it did.

    Args:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "players.json"
        self.table: dict[str, dict[str, Any]] = {}
        self.read()

    def read(self) -> None:
        """Take in what the file holds."""
        if self.path.is_file():
            self.table = dict(read_checked(self.path, dict[str, dict[str, Played]]))

    def has(self, cell: PlayerCell) -> bool:
        """Whether a player has played all instances."""
        played = self.table.get(cell.task, {}).get(cell.label)
        seeds = list(range(cell.instances))
        same = {"env_id": cell.env_id, "env_args": cell.env_args, "seeds": seeds}
        return played is not None and same.items() <= played.items()

    def metrics(self, cell: PlayerCell) -> dict[str, list[float]]:
        """What a player that has played did, metric -> a number per instance."""
        metrics: dict[str, list[float]] = self.table[cell.task][cell.label]["metrics"]
        return metrics

    def seeds(self, cell: PlayerCell) -> list[int]:
        """The seeds of the instances that it played."""
        seeds: list[int] = self.table[cell.task][cell.label]["seeds"]
        return seeds

    def blocks(self, cell: PlayerCell) -> list[dict[str, Any]]:
        """How that was made."""
        return [self.table[cell.task][cell.label]]

    def add(self, cell: PlayerCell, metrics: dict[str, list[float]], seconds: float) -> None:
        """Take in what a player did and write the file."""
        made = provenance("play_missing") | {"device": "cpu"}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.parent / ".lock"):
            self.read()
            self.table.setdefault(cell.task, {})[cell.label] = {
                "env_id": cell.env_id,
                "env_args": cell.env_args,
                "seeds": list(range(cell.instances)),
                "metrics": metrics,
                "seconds": round(seconds, 1),
                **{name: made[name] for name in PROVENANCE},
            }
            write_text(self.path, player_per_line(self.table))


def player_per_line(table: dict[str, dict[str, Any]]) -> str:
    """The table as JSON with a line per task and player."""
    tasks = (
        f" {json.dumps(task)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(played)}" for name, played in players.items())
        + "\n }"
        for task, players in table.items()
    )
    return "{\n" + ",\n".join(tasks) + "\n}\n"


def play_missing(cells: Sequence[PlayerCell], plays: Plays, say: Callable[[str], object]) -> None:
    """Have players play what has not been played.

    Args:
        cells: who plays what.
        plays: where it goes.
        say: told what begins.
    """
    for cell in cells:
        if plays.has(cell):
            continue
        say(f"{cell.label} on {cell.task}: {cell.instances} instances")
        start = time.monotonic()
        plays.add(cell, play(cell, range(cell.instances)), time.monotonic() - start)


def play(cell: PlayerCell, seeds: Sequence[int]) -> dict[str, list[float]]:
    """What a player does in some instances, metric -> a number per instance."""
    game = make_game(cell.env_id, **cell.env_args)
    played = [play_instance(game, PLAYERS[cell.label], seed) for seed in seeds]
    return {name: [metrics[name] for metrics in played] for name in played[0]}
