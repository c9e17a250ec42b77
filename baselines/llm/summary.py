"""What a transcript's episodes came to, from its records alone."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from baselines.evaluation.spread import Spread
from baselines.llm.requests import Usage
from baselines.llm.setup import Setup, setup_of
from baselines.llm.transcript import Record


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        setup: of the run.
        date: on which it began.
        ends: the records of episodes that ended, by number.
        success: share of them that came to success, None if there are none.
        steps: over successes only, as the papers' tables.
        feedback: over successes only.
        tokens: read and written, over successes only.
        metrics: means of the game's own, over episodes that came to their end.
        calls: of all episodes, by role.
        faults: of all episodes, by kind.
        usage: of all episodes.
    """

    setup: Setup
    date: str
    ends: tuple[Record, ...]
    success: float | None
    steps: Spread | None
    feedback: Spread | None
    tokens: Spread | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    @property
    def missing(self) -> int:
        """Episodes that have not ended, or for which there was no budget: with some a run is not complete."""
        stopped = sum("budget" in (end["failure"] or "") for end in self.ends)
        return self.setup.episodes - len(self.ends) + stopped


def summarize(records: Iterable[Record]) -> Summary:
    """The summary of a transcript.

    Raises:
        TranscriptError: if its header tells no setup.
    """
    records = list(records)
    setup = setup_of(records[0])
    ends = sorted((r for r in records if r["kind"] == "end"), key=lambda end: end["episode"])
    successes = [end for end in ends if end["success"]]
    calls, faults, usage = Counter[str](), Counter[str](), Usage()
    for end in ends:
        calls.update(end["calls"])
        faults.update(end["faults"])
        usage += Usage(**end["usage"])
    whole = [end["metrics"] for end in ends if end["failure"] is None]
    # An episode that somebody has changed may lack some.
    names = [name for name in (whole[0] if whole else {}) if all(name in metrics for metrics in whole)]
    return Summary(
        setup=setup,
        date=records[0]["date"],
        ends=tuple(ends),
        success=len(successes) / len(ends) if ends else None,
        steps=Spread.of([end["steps"] for end in successes]),
        feedback=Spread.of([end["feedback"] for end in successes]),
        tokens=Spread.of([Usage(**end["usage"]).tokens for end in successes]),
        metrics={name: statistics.fmean(metrics[name] for metrics in whole) for name in names},
        calls=dict(sorted(calls.items())),
        faults=dict(sorted(faults.items())),
        usage=usage,
    )
