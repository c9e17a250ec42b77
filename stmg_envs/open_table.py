"""Tables whose rows others can add: a program by a call, an installed package by an entry point."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError, PluginError, PluginWarning, STMGError

Row = TypeVar("Row")


class OpenTable(Mapping[str, Row], Generic[Row]):
    """Rows by name: our own, then those of this program, then those of installed packages.

    An entry point has the name of its row, so that names are known without importing anybody's code; the row
    is imported when somebody asks for it. Iterating gives the rows that can be had: of any other there is one
    warning, which names its package.

    Args:
        group: of entry points.
        own: our rows.
        name_of: the name of a row.
        kind: the class of rows.
        require_foreign: raises InvalidArgumentError for a name that others may not use.
        require_usable: raises an STMGError for a row of others that cannot be used.
    """

    def __init__(
        self,
        group: str,
        own: Iterable[Row],
        name_of: Callable[[Row], str],
        kind: type[Row],
        require_foreign: Callable[[str], None],
        require_usable: Callable[[Row], None] = lambda row: None,
    ) -> None:
        self.group = group
        self._own = {name_of(row): row for row in own}
        self._name_of = name_of
        self._kind = kind
        self._require_foreign = require_foreign
        self._require_usable = require_usable
        self._added: dict[str, Row] = {}
        self._loaded: dict[str, Row] = {}
        self._reported: set[str] = set()

    @property
    def own(self) -> Mapping[str, Row]:
        """Our rows."""
        return self._own

    @property
    def added(self) -> Mapping[str, Row]:
        """The rows that this program has added, which no other process knows."""
        return self._added

    def add(self, row: Row) -> None:
        """Add a row; adding an equal one again changes nothing.

        Raises:
            InvalidArgumentError: if it is no row, or if its name belongs to another one.
        """
        if not isinstance(row, self._kind):
            raise InvalidArgumentError(f"{shown(row)} is no {self._kind.__name__}; expected one")
        name = self._name_of(row)
        self._require_foreign(name)
        taken = {known.lower(): known for known in self.names()}.get(name.lower())
        if taken is not None and self._added.get(taken) != row:
            raise InvalidArgumentError(f"{name!r} is taken by {taken!r}; expected a name of its own")
        self._require_usable(row)
        self._added[name] = row

    def forget(self, name: str) -> None:
        """Take out a row that this program has added."""
        del self._added[name]

    def names(self) -> list[str]:
        """All names, those included whose row cannot be had; nothing is imported."""
        return list(dict.fromkeys((*self._own, *self._added, *self._offered)))

    def __getitem__(self, name: str) -> Row:
        """A row.

        Raises:
            KeyError: if there is none.
            PluginError: if its package does not give it.
        """
        for rows in (self._own, self._added, self._loaded):
            if name in rows:
                return rows[name]
        return self._loaded.setdefault(name, self._load(self._offered[name]))

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._added or name in self._offered

    def __iter__(self) -> Iterator[str]:
        for name in self.names():
            try:
                self[name]
            except PluginError as error:
                self._report(str(error))
            else:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _offered(self) -> dict[str, EntryPoint]:
        """What installed packages offer, by name."""
        offered: dict[str, EntryPoint] = {}
        taken = {name.lower() for name in self._own}
        for point in entry_points(group=self.group):
            try:
                self._require_foreign(point.name)
            except InvalidArgumentError as error:
                self._report(f"{_named(point)} is left out: {error}")
                continue
            if point.name.lower() in taken:
                self._report(
                    f"{_named(point)} is left out: {point.name!r} is taken; uninstall one of the two"
                )
                continue
            taken.add(point.name.lower())
            offered[point.name] = point
        return offered

    def _load(self, point: EntryPoint) -> Row:
        try:
            row = point.load()
        # Whatever others' code raises.
        except Exception as error:
            raise PluginError(
                f"{_named(point)} cannot be loaded ({type(error).__name__}: {error}); repair or uninstall "
                f"its package"
            ) from error
        if not isinstance(row, self._kind) or self._name_of(row) != point.name:
            found = self._name_of(row) if isinstance(row, self._kind) else shown(row)
            raise PluginError(
                f"{_named(point)} gives {found}; expected a {self._kind.__name__} of the name {point.name!r}"
            )
        try:
            self._require_usable(row)
        except STMGError as error:
            raise PluginError(f"{_named(point)} cannot be used: {error}") from None
        return row

    def _report(self, sentence: str) -> None:
        if sentence not in self._reported:
            self._reported.add(sentence)
            warnings.warn(sentence, PluginWarning, stacklevel=3)


def _named(point: EntryPoint) -> str:
    package = "an installed package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
    return f"the entry point {point.name!r} of {package} ({point.group}: {point.value})"
