"""Progress of language models: episodes, calls, tokens and money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from baselines.llm.requests import Client, Reply, Request


class CountedClient:
    """A client whose replies are counted as they come.

    Args:
        client: who answers.
        count: called with every reply.
    """

    def __init__(self, client: Client, count: Callable[[Reply], None]) -> None:
        self._client, self._count = client, count

    async def complete(self, request: Request) -> Reply:
        reply = await self._client.complete(request)
        self._count(reply)
        return reply


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error; calling what it gives makes it go on by one, or changes `text`."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=total, text="")

        def advance(by: int = 1, text: str = "") -> None:
            progress.update(bar, advance=by, text=text or progress.tasks[bar].fields["text"])

        yield advance
