"""What a table of games says of each: what computes it, and what is known of it."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stmg_envs.arguments import is_number, require_choice, require_text, shown
from stmg_envs.errors import InvalidArgumentError, MissingEngineError, PluginError
from stmg_envs.protocol import Game, PriorityParallelEnv

Factory = type[Game] | type[PriorityParallelEnv]
"""A class of games, or of parallel environments that run on an engine."""

Bounds = tuple[float, float]
"""Returns (mean over agents, undiscounted) that count as scores 0 and 1."""

ID = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+-v\d+")


@dataclass(frozen=True)
class Backend:
    """What computes a game.

    Attributes:
        factory: "module:Class" of a `Game`, or of a `PriorityParallelEnv` whose constructor takes
            `render_mode` and `priority` beside the arguments of the game. It is imported when it is used.
        extra: the extra of this distribution that installs the engine, or None.
        engine: module that must be importable, named as its distribution is, or None.
        install: how else to install the engine, for one that the extra alone does not install.
    """

    factory: str
    extra: str | None = None
    engine: str | None = None
    install: str | None = None

    def __post_init__(self) -> None:
        require_text("factory", self.factory, "my_package.game:MyGame")
        if not all(self.factory.partition(":")):
            raise InvalidArgumentError(
                f"factory={shown(self.factory)} names no class; expected for instance "
                f"'my_package.game:MyGame'"
            )


@dataclass(frozen=True)
class GameSpec:
    """A row of the table of games.

    Attributes:
        id: `<namespace>/<Name>-v<version>`; the suite's own namespace is `stmg`.
        backends: what can compute it, by name; the first is the default. A `Game` is "native".
        family: kind of game; names the presets that learners have for it.
        spaces: kind of action space.
        bounds: return of the uniformly random policy and best known return with default arguments
            (mean over agents of the undiscounted episode return); scores are normalised by them. None where
            they are not known: then the leaderboard shows returns and no scores.
        optimum: best return where it is known exactly, with default arguments.
        task_args: arguments that are always part of the task's name, with their defaults.
        other_bounds: bounds with other arguments, for the tasks that have any.
        presets: configurations that come with a game of another package: fields by the name of an algorithm's
            family ("steer"), and by "common" for all of them.

    Raises:
        InvalidArgumentError: for a row that is none.
    """

    id: str
    backends: Mapping[str, Backend]
    family: str
    spaces: Literal["discrete", "continuous"]
    bounds: Bounds | None = None
    optimum: float | None = None
    task_args: tuple[tuple[str, Any], ...] = ()
    other_bounds: tuple[tuple[Mapping[str, Any], Bounds], ...] = ()
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("id", self.id, "my/Game-v0")
        if not ID.fullmatch(self.id):
            raise InvalidArgumentError(f"id={shown(self.id)} is no id; expected for instance 'my/Game-v0'")
        rows = self.backends.values() if isinstance(self.backends, Mapping) else ()
        if not rows or not all(isinstance(row, Backend) for row in rows):
            raise InvalidArgumentError(
                f"backends={shown(self.backends)} of {self.id} compute nothing; expected for instance "
                f"{{'native': Backend('my_package.game:MyGame')}}"
            )
        require_text("family", self.family, "my-games")
        require_choice("spaces", self.spaces, ("discrete", "continuous"))
        for bounds in (self.bounds, *(bounds for _, bounds in self.other_bounds)):
            if bounds is not None and not (all(map(is_number, bounds)) and bounds[0] < bounds[1]):
                raise InvalidArgumentError(
                    f"bounds={shown(bounds)} of {self.id} are no scale; expected the return of the random "
                    f"policy and a higher one, such as (0.0, 10.0)"
                )

    @property
    def name(self) -> str:
        """The id without version, and without the namespace if that is our own."""
        return self.id.removeprefix("stmg/").rpartition("-v")[0]

    @property
    def default(self) -> Backend:
        """The backend that is used where none is named."""
        return next(iter(self.backends.values()))

    def load(self, backend: str | None = None) -> Factory:
        """Import what makes the game on a backend, the default one if it is None.

        Raises:
            InvalidArgumentError: if the game has no such backend.
            MissingEngineError: if its engine is not installed.
            PluginError: if the backend's class cannot be imported, or is none of games.
        """
        if backend is not None and (not isinstance(backend, str) or backend not in self.backends):
            raise InvalidArgumentError(
                f"backend={shown(backend)} is none of {self.id}; expected one of {list(self.backends)}"
            )
        row = self.default if backend is None else self.backends[backend]
        if row.engine is not None and not importable(row.engine):
            raise MissingEngineError(
                f"{self.id} needs the engine {row.engine!r}, which is not installed; install it with: "
                + (row.install or f"pip install 'stmg[{row.extra}]'")
            )
        module, _, attribute = row.factory.partition(":")
        try:
            factory: Factory = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{self.id} is computed by {row.factory!r}, which cannot be imported ({error}); correct its "
                f"row, or install what is missing"
            ) from error
        if not (isinstance(factory, type) and issubclass(factory, Game | PriorityParallelEnv)):
            raise PluginError(
                f"{self.id} is computed by {row.factory!r}, which is {shown(factory)}; expected a class that "
                f"comes from Game, or from PriorityParallelEnv for an engine"
            )
        return factory


def importable(module: str) -> bool:
    """Whether a module is installed."""
    spec = importlib.util.find_spec(module)
    # Any folder of that name on the path could be imported, but it comes from no file.
    return spec is not None and spec.origin is not None
