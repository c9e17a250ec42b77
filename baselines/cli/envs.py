"""`stmg envs`: what there is to play."""

from __future__ import annotations

import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import stmg_envs
from stmg_envs.errors import MissingEngineError


@click.command(name="envs")
def command() -> None:
    """List all environments: agents, spaces, and the extra that installs the engine.

    Example: stmg envs
    """
    table = Table(box=SIMPLE_HEAD)
    table.add_column("id", no_wrap=True)
    for title in ("agents", "actions", "observation", "state", "optimum", "extra"):
        table.add_column(title)
    for id in stmg_envs.list_envs():
        row = stmg_envs.game_spec(id)
        optimum = "-" if row.optimum is None else f"{row.optimum:.4g}"
        try:
            game = stmg_envs.joint_spaces(id)
        except MissingEngineError:
            table.add_row(id, "-", row.spaces, "-", "-", optimum, f"{row.default.extra} (not installed)")
            continue
        actions = dict.fromkeys(map(str, game.action_spaces))
        table.add_row(
            id,
            str(game.n),
            ", ".join(actions),
            str(game.observation_space.shape),
            "-" if game.state_space is None else str(game.state_space.shape),
            optimum,
            ", ".join(backend.extra for backend in row.backends.values() if backend.extra) or "-",
        )
    Console().print(table)
