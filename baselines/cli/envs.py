"""`stmg envs`: what there is to play."""

from __future__ import annotations

import math
from typing import Any

import rich_click as click
from gymnasium.spaces import Discrete, Space
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

import stmg_envs
from stmg_envs import GameSpec
from stmg_envs.errors import MissingEngineError

COLUMNS = ("agents", "actions", "obs.", "state", "optimum", "extra")
LEGEND = """\
actions: how many there are, or how many real numbers one has; obs., state: how
many numbers; optimum: the best mean return, where it is known exactly; extra:
what installs the engine, as in pip install 'stmg[highway]'"""
ABSENT = "*"
"""Marks an extra that is not installed."""


@click.command(name="envs")
def command() -> None:
    """List all environments: agents, spaces, and the extra that installs the engine.

    Example: stmg envs
    """
    table = Table(Column("id", no_wrap=True), box=SIMPLE_HEAD, padding=0)
    for title in COLUMNS:
        table.add_column(title)
    rows = [(id, _cells(stmg_envs.game_spec(id))) for id in stmg_envs.list_envs()]
    for id, cells in rows:
        table.add_row(id, *cells)
    console = Console(highlight=False)
    console.print(table)
    console.print(LEGEND, markup=False)
    if any(cells[-1].endswith(ABSENT) for _, cells in rows):
        console.print(f"{ABSENT} not installed here")


def _cells(row: GameSpec) -> list[str]:
    """A row of the table but for the id."""
    optimum = "-" if row.optimum is None else f"{row.optimum:.4g}"
    extras = ", ".join(backend.extra for backend in row.backends.values() if backend.extra) or "-"
    try:
        game = stmg_envs.joint_spaces(row.id)
    except MissingEngineError:
        return ["-", "-", "-", "-", optimum, f"{extras}{ABSENT}"]
    actions = dict.fromkeys(map(_space, game.action_spaces))
    state = "-" if game.state_space is None else str(game.state_space.shape[0])
    return [
        str(game.n),
        ", ".join(actions),
        str(game.observation_space.shape[0]),
        state,
        optimum,
        extras,
    ]


def _space(space: Space[Any]) -> str:
    """A space of actions in few letters."""
    return str(space.n) if isinstance(space, Discrete) else f"{math.prod(space.shape or ())} reals"
