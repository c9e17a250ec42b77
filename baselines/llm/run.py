"""A whole run: all episodes of a setup at once, written down, and played again from what was written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from baselines.errors import TranscriptError
from baselines.llm.budget import Budget
from baselines.llm.episode import EpisodePlayer, Story
from baselines.llm.line import Line
from baselines.llm.prompts import Prompts
from baselines.llm.replay import Replay
from baselines.llm.requests import Client
from baselines.llm.setup import Setup, setup_of
from baselines.llm.stage import Stage
from baselines.llm.together import together
from baselines.llm.transcript import Record, Transcript, read_records, reply_of, write_records
from stmg_envs.errors import STMGError

TRANSCRIPT = "transcript.jsonl"
"""What a transcript is called in the folder of its run."""
AT_ONCE = 8
"""Episodes that play at the same time; their calls share the endpoint's own limit."""

Watch = Callable[[Story], None]


async def play(
    setup: Setup, client: Client, transcript: Transcript, at_once: int = AT_ONCE, watch: Watch | None = None
) -> list[Story]:
    """Play all episodes and write them down; the transcript is in order at the end.

    Args:
        setup: which episodes.
        client: who answers.
        transcript: open, with a header.
        at_once: episodes that play at the same time.
        watch: called with every episode that has ended.

    Returns:
        One story per episode, by number.

    Raises:
        EndpointError, TranscriptError: if nobody answers any more; what was written stays.
    """
    prompts = Prompts(setup.prompts)
    places = asyncio.Semaphore(at_once)

    async def episode(number: int) -> Story:
        async with places:
            stage = Stage(setup.env_id, setup.env_args)
            try:
                line = Line(client, number, setup.sampling, transcript)
                player = EpisodePlayer(stage, setup.method, prompts, line, transcript.add)
                story = await player.play(setup.seed(number))
            finally:
                stage.close()
        if watch is not None:
            watch(story)
        return story

    stories = await together(*(episode(number) for number in range(setup.episodes)))
    transcript.finish()
    return stories


def begin(setup: Setup, path: Path, resume: bool = False) -> Transcript:
    """The transcript of a run, new, or with what a run that was stopped has left.

    Raises:
        TranscriptError: if there is one and it is not to be resumed, there is none to be resumed, or it is
            of another setup, or another process writes it.
    """
    if not resume and path.exists():
        raise TranscriptError(f"{path} exists already; go on with it (--resume), or choose another --out")
    if resume and not path.is_file():
        raise TranscriptError(
            f"{path} does not exist: there is nothing to go on with; begin without --resume"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TranscriptError(
            f"{path} is being written by another process; wait for its end, or stop it"
        ) from None
    try:
        if not resume:
            write_records(path, [setup.header()])
        header, *records = read_records(path)
        setup.require_same(header)
        # Replies were paid for; steps and ends come of them again, further than before where there was no
        # budget. Calls that a ceiling ended may have been attempted before, and that was paid for as well.
        calls = [record for record in records if record["kind"] == "call"]
        write_records(path, [header, *calls])
    except BaseException:
        lock.release()
        raise
    return Transcript(path, [header, *calls], lock)


def replay(path: Path, out: Path, watch: Watch | None = None, trust: bool = False) -> list[Story]:
    """Play the run of a transcript again, offline, and write its transcript anew.

    Args:
        path: the transcript.
        out: the new one; its bytes are those of the old one if that was a whole run.
        watch: called with every episode that has ended.
        trust: import the module of another package that a transcript names as its game. Whoever made the
            transcript chose it, and what is imported runs.

    Raises:
        TranscriptError: if anything is asked that the transcript does not hold, or it cannot be played.
    """
    header, *records = read_records(path)
    try:
        setup = setup_of(header)
        setup.require_same(header)
        if setup.is_external and not trust:
            raise TranscriptError(
                f"its game {setup.env_id!r} is a module of another package, which would be imported and run; "
                "expected a game of stmg: say --trust (trust=True) if you trust whoever made the transcript"
            )
        there = {record["episode"] for record in records}
        if len(there) != setup.episodes:
            raise TranscriptError(
                f"it holds {len(there)} of {setup.episodes} episodes; expected a whole run: finish it with "
                "stmg llm run --resume"
            )
        Stage(setup.env_id, setup.env_args).close()
        # All but the day and the versions comes of the setup: what does not is found when bytes are compared.
        again = {**setup.header(), "date": header["date"], "versions": header["versions"]}
        if out.exists():
            raise TranscriptError(f"{out} exists already; choose another --out")
        out.parent.mkdir(parents=True, exist_ok=True)
        write_records(out, [again])
        with Transcript(out, [again]) as transcript:
            return asyncio.run(play(setup, Replay(records), transcript, watch=watch))
    except STMGError as error:
        raise TranscriptError(f"{path} cannot be played again: {error}") from None


def first_difference(path: Path, other: Path) -> str | None:
    """Where two transcripts differ first, None if all bytes are the same."""
    old, new = path.read_bytes(), other.read_bytes()
    if old == new:
        return None
    lines = list(zip(old.split(b"\n"), new.split(b"\n"), strict=False))
    at = next((at for at, (one, another) in enumerate(lines) if one != another), len(lines))
    return f"line {at + 1} of {path}"


def resumed(client: Client, records: list[Record]) -> Client:
    """Who answers a run that goes on: the transcript as far as it goes, then the client."""
    return Replay(records, beyond=client)


def count_spent(budget: Budget, records: Iterable[Record]) -> None:
    """Count what the calls of a transcript have cost, those without an answer included."""
    for record in records:
        if record["kind"] == "call":
            reply = reply_of(record)
            budget.spend(record["episode"], reply.usage, reply.attempts)
