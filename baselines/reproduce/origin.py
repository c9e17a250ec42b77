"""How the cells of an experiment were made, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from baselines.evaluation.numbers import ranges
from baselines.reproduce.experiment import AnyRow, Row
from baselines.reproduce.words import listed
from baselines.runs.provenance import DIRTY

UNKNOWN = "not recorded"


def _commit(block: dict[str, Any]) -> str:
    commit = block["commit"]
    return UNKNOWN if commit is None else f"`{commit[:7]}`"


def _sources(block: dict[str, Any]) -> str:
    changed = (block["commit"] or "").endswith(DIRTY)
    return "with changes that the commit does not have" if changed else "as committed"


def _preloaded(block: dict[str, Any]) -> str:
    names = block.get("preloaded")
    return UNKNOWN if names is None else ", ".join(f"`{name}`" for name in names) or "none"


def _versions(block: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in block["versions"].items())


Fact = Callable[[dict[str, Any]], str]
"""What a page says of a block of seeds."""

FACTS: Mapping[str, Fact] = {
    "Sources": _sources,
    "Preloaded libraries": _preloaded,
    "Processor": lambda block: block.get("processor") or UNKNOWN,
    "Device and threads": lambda block: f"{block['device']}, {block['threads']}",
    "Versions": _versions,
}
"""What a page says of blocks of seeds besides their commits."""
FACTS_OF_PLAYERS: Mapping[str, Fact] = {
    "Seeds of the instances": lambda block: ranges(block["seeds"]),
    **FACTS,
}
"""What it says of players that learn nothing."""

Blocks = Callable[[AnyRow], list[dict[str, Any]]]
"""The blocks of seeds of a cell."""


def describe_origin(
    cells: Sequence[AnyRow], blocks: Blocks[AnyRow], about: Mapping[str, Fact] = FACTS
) -> str:
    """A Markdown list of facts; where cells differ in one, it says which of them it is true of.

    Args:
        cells: the cells.
        blocks: how they were made.
        about: titles and what to say of a block besides its commit.
    """
    commits = _groups(cells, blocks, _commit)
    counted = listed(f"{commit} ({_count(some)})" for commit, some in commits.items())
    facts = (f"- {title}: {_split(_groups(cells, blocks, fact), cells)}." for title, fact in about.items())
    return "\n".join((f"- Commits: {counted}.", *facts))


def _groups(cells: Sequence[AnyRow], blocks: Blocks[AnyRow], fact: Fact) -> dict[str, list[AnyRow]]:
    """The cells that a fact is true of, at least of some of their blocks."""
    groups: dict[str, list[AnyRow]] = {}
    for cell in cells:
        for value in dict.fromkeys(map(fact, blocks(cell))):
            groups.setdefault(value, []).append(cell)
    return groups


def _split(groups: dict[str, list[AnyRow]], every: Sequence[AnyRow]) -> str:
    """Values of a fact, the most frequent one first, the others with their cells."""
    (most, cells), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    if not others:
        return most
    named = (f"{value} ({name_cells(some, every)})" for value, some in others)
    return "; ".join((f"{most} ({_count(cells)})", *named))


def _count(cells: Sequence[Row]) -> str:
    return "1 cell" if len(cells) == 1 else f"{len(cells)} cells"


def name_cells(some: Sequence[Row], every: Sequence[Row]) -> str:
    """Cells in few words: whole tasks, then labels with the tasks that they share.

    Args:
        some: the cells to name.
        every: all that there are.
    """

    def labels(cells: Sequence[Row], task: str) -> list[str]:
        return [cell.label for cell in cells if cell.task == task]

    whole = [
        task
        for task in dict.fromkeys(cell.task for cell in some)
        if labels(some, task) == labels(every, task)
    ]
    parts = [f"all on {listed(whole)}"] if whole else []
    tasks: dict[str, list[str]] = {}
    for cell in some:
        if cell.task not in whole:
            tasks.setdefault(cell.label, []).append(cell.task)
    sharing: dict[tuple[str, ...], list[str]] = {}
    for label, shared in tasks.items():
        sharing.setdefault(tuple(shared), []).append(label)
    return "; ".join(parts + [f"{listed(names)} on {listed(shared)}" for shared, names in sharing.items()])
