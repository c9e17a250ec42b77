"""All games by id: the suite's own, and those that programs and installed packages bring."""

from __future__ import annotations

import difflib
from importlib.metadata import Distribution

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError, UnknownNameError
from stmg_envs.games import OWN_GAMES
from stmg_envs.open_table import OpenTable
from stmg_envs.spec import ID, GameSpec, importable

RESERVED = ("stmg", "gymnasium", "pettingzoo")
"""What stands before the slash of our ids, and of ids of environments of other libraries."""


def _require_foreign(id: str) -> None:
    """Raise InvalidArgumentError unless an id may be somebody else's."""
    if not ID.fullmatch(id) or id.partition("/")[0].lower() in RESERVED:
        raise InvalidArgumentError(
            f"id={shown(id)} is no id of another package; expected <namespace>/<Name>-v<version> with a "
            f"namespace of its own, such as 'my/Game-v0'"
        )


REGISTRY = OpenTable("stmg.games", OWN_GAMES, lambda row: row.id, GameSpec, _require_foreign)
"""Games by id; packages name theirs as entry points of the group `stmg.games`."""


def list_envs() -> list[str]:
    """All environment ids, whether or not their engines are installed."""
    return list(REGISTRY)


def installed_engines() -> list[str]:
    """The engines that are installed here: those that can be imported and have a version."""
    engines = {backend.engine for row in REGISTRY.values() for backend in row.backends.values()}
    return sorted(
        name
        for name in engines
        if name is not None and importable(name) and any(Distribution.discover(name=name))
    )


def game_spec(id: str) -> GameSpec:
    """The registry row of an id.

    Raises:
        UnknownNameError: for an unknown id, with the nearest known ones.
        PluginError: if the package that offers it does not give it.
    """
    if not isinstance(id, str):
        raise UnknownNameError(f"id={shown(id)} is no text; expected one of stmg_envs.list_envs()")
    if id not in REGISTRY:
        ids = {name.removeprefix("stmg/").rpartition("-v")[0]: name for name in REGISTRY.names()}
        near = difflib.get_close_matches(id, [*ids.values(), *ids], n=3, cutoff=0.5)
        near = [ids.get(name, name) for name in near]
        hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "see stmg_envs.list_envs()"
        raise UnknownNameError(f"id={id!r} is no registered environment; {hint}")
    return REGISTRY[id]
