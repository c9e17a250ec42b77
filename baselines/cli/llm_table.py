"""What runs of language models came to, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from baselines.evaluation.numbers import percent
from baselines.llm.printable import printable
from baselines.llm.published import EPISODES, MODEL, published_rows
from baselines.llm.summary import Summary

WIDTH = 132
"""Letters of a row at least; narrower terminals wrap it."""


def text_console() -> Console:
    """A console for what models, endpoints and transcripts say, none of which is markup."""
    return Console(soft_wrap=True, highlight=False, markup=False)


def print_summaries(console: Console, summaries: Sequence[Summary]) -> None:
    """Print a row for each run, and below what is published of the same tasks.

    Steps, feedback and tokens are over successes, as the papers count them.
    """
    table = Table(box=SIMPLE_HEAD)
    for title in ("task", "method", "model", "episodes", "success", "steps", "feedback", "tokens", "calls"):
        table.add_column(title, overflow="fold")
    for summary in summaries:
        setup = summary.setup
        row = (
            setup.task,
            setup.method.name,
            setup.sampling.model,
            f"{len(summary.ends)}/{setup.episodes}",
            "-" if summary.success is None else percent(summary.success),
            *(str(spread or "-") for spread in (summary.steps, summary.feedback, summary.tokens)),
            str(sum(summary.calls.values())),
        )
        table.add_row(*(Text(printable(cell)) for cell in row))
    for task in dict.fromkeys(summary.setup.task for summary in summaries):
        for theirs in published_rows(task):
            spreads = (str(spread or "-") for spread in (theirs.steps, theirs.feedback, theirs.tokens))
            share = percent(theirs.success)
            table.add_row(task, theirs.method, MODEL, f"{EPISODES}/{EPISODES}", share, *spreads, "")
    Console(width=max(WIDTH, console.width), highlight=False).print(table)
    for summary in summaries:
        task = printable(summary.setup.task)
        for failure, count in Counter(end["failure"] for end in summary.ends if end["failure"]).items():
            console.print(f"failed on {task}: {count} episodes, {printable(failure)}")
        notes = [f"{name.replace('_', ' ')} {count}" for name, count in summary.faults.items()]
        if notes:
            console.print(f"faults on {task}: {printable(', '.join(notes))}")
        if summary.missing:
            console.print(f"not complete on {task}: {summary.missing} episodes are missing")
    console.print("Steps, feedback and tokens: mean (standard deviation) over successes, as in the papers.")
