"""The table of trained policies, from the zoo's own files."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from baselines.runs.directory import RunDirectory
from baselines.runs.zoo import entry_results, zoo_entries
from baselines.training.checkpoint import load_checkpoint
from extensions.pages import code, table, write_page

HEAD = ("Policy", "Task", "Steps", "Results in fresh greedy episodes")


def row(directory: RunDirectory) -> tuple[str, ...]:
    """One policy: its name, what it was trained on and for how long, and what it does."""
    plan = directory.recorded()
    results = "<br>".join(f"{name} {text}" for name, text in entry_results(directory).items())
    _, progress = load_checkpoint(directory.checkpoint)
    steps = progress["updates"] * plan.config.batch
    return code(f"zoo/{directory.path.name}"), code(plan.task), f"{steps:,}", results


def write_table(app: Sphinx) -> None:
    """Write the table that the page of the zoo includes."""
    write_page(app, "zoo", [table(HEAD, map(row, zoo_entries()))])


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the table before Sphinx looks for files."""
    app.connect("builder-inited", write_table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
