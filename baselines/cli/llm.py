"""`stmg llm`: language models as critics and actors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import rich_click as click

from baselines.cli.llm_run import run_command
from baselines.cli.llm_table import print_summaries, text_console
from baselines.cli.llm_watch import counting
from baselines.errors import EndpointError, TranscriptError
from baselines.llm.page import write_pages
from baselines.llm.run import TRANSCRIPT, first_difference, replay
from baselines.llm.summary import summarize
from baselines.llm.transcript import read_records
from stmg_envs.errors import STMGError


@click.group(name="llm")
def command() -> None:
    """Language models play: LLaMAC and HMAS-2, at any endpoint that speaks OpenAI's protocol.

    Needs the extra llm: pip install 'stmg[llm]'.

    Example: stmg llm run stmg/GridTransport-v0 --model gpt-4o-mini --max-usd 1 --out runs/boxes
    """


command.add_command(run_command)


def transcript_in(path: Path) -> Path:
    """The transcript in a folder, or the file itself.

    Raises:
        TranscriptError: if there is none.
    """
    file = path / TRANSCRIPT if path.is_dir() else path
    if not file.is_file():
        raise TranscriptError(
            f"{file} does not exist; expected what stmg llm run wrote, its folder or the file"
        )
    return file


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Errors within it name the transcript that they are about."""
    try:
        yield
    except STMGError as error:
        raise TranscriptError(f"{path}: {error}") from None


@command.command(name="replay")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="keep the new transcript in this file")
@click.option(
    "--trust", is_flag=True, help="import the game that a transcript names, where it is another package's"
)
def replay_command(run: Path, out: Path | None, trust: bool) -> None:
    """Play RUN again from its transcript, offline, and compare every byte.

    RUN is the folder that stmg llm run wrote, or a transcript. Nothing is asked of any endpoint: what a
    transcript does not hold is an error that names the first difference. The exit status is 1 if a byte
    differs.

    Example: stmg llm replay runs/boxes
    """
    console = text_console()
    path = transcript_in(run)
    episodes = sum(record["kind"] == "end" for record in read_records(path))
    with TemporaryDirectory() as folder:
        again = Path(folder) / TRANSCRIPT if out is None else out
        with counting("episodes", episodes) as advance:
            replay(path, again, lambda _: advance(), trust)
        difference = first_difference(path, again)
    if difference is not None:
        console.print(f"differs: {difference}")
        raise SystemExit(1)
    console.print(f"{episodes} episodes came out again, with the same bytes")
    if out is not None:
        console.print(f"written to {out}")


@command.command(name="report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="folder of the pages [RUN/pages]"
)
def report_command(runs: tuple[Path, ...], out: Path | None) -> None:
    """Print what RUNS came to, beside published numbers, and write each transcript as pages to read.

    Example: stmg llm report runs/boxes
    """
    if out is not None and len(runs) > 1:
        raise click.UsageError(
            "--out is for the pages of one run; without it each run gets its own, RUN/pages"
        )
    console = text_console()
    found = {path: read_records(path) for path in map(transcript_in, runs)}
    summaries = []
    for path, records in found.items():
        with about(path):
            summaries.append(summarize(records))
    print_summaries(console, summaries)
    for (path, records), summary in zip(found.items(), summaries, strict=True):
        with about(path), counting("pages", len(summary.ends)) as advance:
            index = write_pages(records, out or path.parent / "pages", watch=lambda _: advance())
        console.print(f"pages: {index}")


@command.command(name="serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one"
)
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, help="seconds that a reply takes")
@click.option(
    "--corrupt", type=click.FloatRange(0, 1), default=0.0, help="share of replies that are spoilt on purpose"
)
def serve_command(port: int, latency: float, corrupt: float) -> None:
    """Serve a script instead of a model, on this machine only, to try everything without a key or a cost.

    This is a protocol test, no model: it answers as a greedy planner would that reads the same prompts, so
    its numbers are no results.

    Example: stmg llm serve --port 8000
    """
    from baselines.llm.scripted.corruption import corrupted
    from baselines.llm.scripted.oracle import answer
    from baselines.llm.scripted.server import ScriptedServer

    try:
        server = ScriptedServer(corrupted(answer, corrupt), port=port, latency=latency)
    except OSError as error:
        raise EndpointError(
            f"port={port} of 127.0.0.1 cannot be listened on ({error}); expected a free one: choose another "
            "--port, 0 takes any"
        ) from None
    console = text_console()
    with server:
        console.print(f"a script, no model, at {server.base_url} (Ctrl-C ends it); in another terminal:")
        game = "stmg/GridTransport-v0"
        console.print(f"stmg llm run {game} --model scripted --base-url {server.base_url} --out runs/boxes")
        try:
            Event().wait()
        except KeyboardInterrupt:
            console.print(f"{server.calls} calls answered")
