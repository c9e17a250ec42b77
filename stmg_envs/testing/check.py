"""Check a game, whoever wrote it, and say all that is wrong at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from stmg_envs.errors import STMGError
from stmg_envs.protocol import Game, GameParallelEnv, PriorityParallelEnv
from stmg_envs.registry import game_spec
from stmg_envs.spec import GameSpec
from stmg_envs.testing.declared import declared
from stmg_envs.testing.dynamics import dynamics
from stmg_envs.testing.views import views

Findings = Iterator[str]


class ConformanceError(STMGError, AssertionError):
    """A game or an algorithm is not what the suite asks for.

    Attributes:
        findings: one sentence each.
    """

    def __init__(self, what: str, findings: list[str]) -> None:
        lines = "\n".join(f"  {number}. {finding}" for number, finding in enumerate(findings, 1))
        super().__init__(f"{what} is not what the suite asks for:\n{lines}")
        self.findings = findings


def check_game(game: str | GameSpec | Game, *, backend: str | None = None, **arguments: Any) -> None:
    """Check that a game does all that the suite asks of one.

    Agents and spaces; observations, masks, rewards and graphs of the right shapes and within their spaces;
    steps that change nothing of what they are given and depend on it alone; episodes of a batch that know
    nothing of each other; seeds that reproduce; an end; pictures; and the views, by the checks of PettingZoo
    and Gymnasium. It is as sure as random play is to come across what is wrong.

    Example:
        def test_my_game():
            stmg_envs.testing.check_game("my/Game-v0")

    Args:
        game: the id of a game, its row, or, of a game that computes a batch, the game itself.
        backend: what computes it; the row's first by default.
        **arguments: of the game.

    Raises:
        ConformanceError: with all that was found.
        UnknownNameError, PluginError, MissingEngineError: if there is no such game here.
    """
    name, findings = _found(game, backend, arguments)
    if findings:
        raise ConformanceError(name, findings)


def _found(
    game: str | GameSpec | Game, backend: str | None, arguments: dict[str, Any]
) -> tuple[str, list[str]]:
    if isinstance(game, Game):
        return type(game).__name__, _of_game(lambda: game)
    spec = game_spec(game) if isinstance(game, str) else game
    factory = spec.load(backend)
    findings = list(_of_row(spec, factory))
    if issubclass(factory, Game):
        return spec.id, findings + _of_game(partial(factory, **arguments), spec)
    engine: Callable[..., PriorityParallelEnv] = partial(factory, priority=None, **arguments)
    return spec.id, findings + list(views(lambda mode: engine(render_mode=mode)))


def _of_row(spec: GameSpec, factory: Callable[..., Any]) -> Findings:
    """What a row says that its class does not."""
    if not inspect.getdoc(factory):
        yield "its class has no docstring, which is its documentation page; write one"
    known = inspect.signature(factory).parameters
    for name, value in spec.task_args:
        if name not in known:
            yield f"task_args has {name}, which is no argument of its class; expected one of {list(known)}"
        elif known[name].default != value:
            yield f"task_args has {name}={value!r}, and the default of its class is {known[name].default!r}"


def _of_game(make: Callable[[], Game], spec: GameSpec | None = None) -> list[str]:
    """What is wrong with a game; later checks need what earlier ones look at."""
    try:
        game = make()
    # Whatever others' code raises.
    except Exception as error:
        return [f"it cannot be made ({type(error).__name__}: {error})"]
    findings = list(declared(game, spec))
    for check in (dynamics, lambda game: views(lambda mode: GameParallelEnv(game, mode))):
        if not findings:
            findings = list(check(game))
    return findings
