"""`stmg solve`: exact equilibria of finite games."""

from __future__ import annotations

from typing import Any

import rich_click as click

import stmg_envs
from baselines.cli import options
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix import StageGame, render_ansi, table_marks
from stmg_envs.protocol import check_priority


@click.command(name="solve")
@click.argument("env_id", type=options.EnvId())
@options.env_arg
@options.priority
@click.option("--stage", type=int, help="stage to print; the equilibrium path's first and last by default")
def command(
    env_id: str, env_args: tuple[tuple[str, Any], ...], priority: str | None, stage: int | None
) -> None:
    """Print a finite game's payoff table with Nash and Stackelberg equilibria and optimum marked.

    Example: stmg solve stmg/Mixing-v0 --priority agent_1,agent_0
    """
    game = stmg_envs.make_game(env_id, **dict(env_args))
    if not isinstance(game, StageGame):
        raise InvalidArgumentError(f"{env_id} is no finite game in normal form; expected a matrix game")
    names = game.default_priority if priority is None else check_priority(game.agents, priority.split(","))
    order = tuple(game.agents.index(name) for name in names)
    stages = _path(game, order)
    shown = [stage] if stage is not None else list(dict.fromkeys([stages[0], stages[-1]]))
    for index in shown:
        click.echo(render_ansi(game, index, None, order))
        click.echo(_facts(game, index, order))
    if len(stages) > 1:
        click.echo(_play(game, stages, order))


def _joint(game: StageGame, actions: tuple[int, ...]) -> str:
    return "(" + ", ".join(game.action_names[i][action] for i, action in enumerate(actions)) + ")"


def _facts(game: StageGame, stage: int, order: tuple[int, ...]) -> str:
    """The solutions of a stage in words."""
    marks = table_marks(game, stage, order)

    def entry(actions: tuple[int, ...]) -> str:
        everyone: tuple[Any, ...] = (slice(None), *actions)
        return f"{_joint(game, actions)} = ({', '.join(f'{value:g}' for value in marks.values[everyone])})"

    lines = [
        f"Stackelberg equilibrium: {entry(marks.stackelberg.actions)}",
        f"pure Nash equilibria:    {'; '.join(map(entry, marks.nash)) or 'none'}",
        f"global optimum:          {'; '.join(map(entry, marks.optima))}",
    ]
    for tie in marks.stackelberg.ties:
        actions = ", ".join(game.action_names[tie.agent][action] for action in tie.actions)
        lines.append(
            f"tie: {game.agents[tie.agent]} is indifferent between {actions}; broken for its superiors"
        )
    return "\n".join(lines) + "\n"


def _path(game: StageGame, order: tuple[int, ...]) -> list[int]:
    """Stages visited under equilibrium play."""
    stages = [0]
    while (following := _following(game, stages[-1], order)) > stages[-1]:
        stages.append(following)
    return stages


def _following(game: StageGame, stage: int, order: tuple[int, ...]) -> int:
    actions = table_marks(game, stage, order).stackelberg.actions
    return int(game.table.successors[(stage, *actions)])


def _play(game: StageGame, stages: list[int], order: tuple[int, ...]) -> str:
    """Equilibrium play from the first stage to the end."""
    first = table_marks(game, 0, order).stackelberg
    plays = [_joint(game, table_marks(game, stage, order).stackelberg.actions) for stage in stages]
    returns = ", ".join(f"{value:g}" for value in first.payoffs)
    return f"Stackelberg play: {' '.join(plays)}\nreturns: ({returns}), mean {first.payoffs.mean():g}"
