"""How the cells of an experiment were made, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell
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


FACTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Sources": _sources,
    "Preloaded libraries": _preloaded,
    "Processor": lambda block: block.get("processor") or UNKNOWN,
    "Device and threads": lambda block: f"{block['device']}, {block['threads']}",
    "Versions": _versions,
}
"""What a page says of blocks of seeds besides their commits."""


def describe_origin(cells: Sequence[Cell], archive: Archive) -> str:
    """A Markdown list of facts; where cells differ in one, it says which of them it is true of."""
    commits = _groups(cells, archive, _commit)
    counted = listed(f"{commit} ({_count(some)})" for commit, some in commits.items())
    facts = (f"- {title}: {_split(_groups(cells, archive, fact), cells)}." for title, fact in FACTS.items())
    return "\n".join((f"- Commits: {counted}.", *facts))


def _groups(
    cells: Sequence[Cell], archive: Archive, fact: Callable[[dict[str, Any]], str]
) -> dict[str, list[Cell]]:
    """The cells that a fact is true of, at least of some of their blocks."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        for value in dict.fromkeys(map(fact, archive.blocks(cell))):
            groups.setdefault(value, []).append(cell)
    return groups


def _split(groups: dict[str, list[Cell]], every: Sequence[Cell]) -> str:
    """Values of a fact, the most frequent one first, the others with their cells."""
    (most, cells), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    if not others:
        return most
    named = (f"{value} ({name_cells(some, every)})" for value, some in others)
    return "; ".join((f"{most} ({_count(cells)})", *named))


def _count(cells: Sequence[Cell]) -> str:
    return "1 cell" if len(cells) == 1 else f"{len(cells)} cells"


def name_cells(some: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Cells in few words: whole tasks, then labels with the tasks that they share.

    Args:
        some: the cells to name.
        every: all that there are.
    """

    def labels(cells: Sequence[Cell], task: str) -> list[str]:
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
