"""Rows of language models: they stand apart, with who answered, when, at what cost, and what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from baselines.errors import ResultsError
from baselines.evaluation.names import file_name
from baselines.evaluation.results import RETURN
from baselines.evaluation.statistics import Interval, mean_interval
from baselines.leaderboard.entries import Entry
from baselines.leaderboard.provenance import LanguageModel
from baselines.leaderboard.tables import Row
from baselines.storage import read_bytes, write_bytes

FOLDER = "transcripts"
"""Where the site has them."""


@dataclass(frozen=True, eq=False)
class LanguageModelRow:
    """What a language model reached on a task.

    Attributes:
        entry: its results.
        model: who answered, and what it took.
        mean_return: mean over repeats, with Student's interval.
        transcript: address of the transcript in the site.
    """

    entry: Entry
    model: LanguageModel
    mean_return: Interval
    transcript: str

    @property
    def tokens(self) -> float:
        """Tokens of an episode, read and written, mean."""
        return self.model["tokens"] / self.model["episodes"]


def language_model_rows(entries: Sequence[Entry], out: Path) -> list[LanguageModelRow]:
    """The rows, by task and the best first; transcripts are copied into the site's folder.

    Raises:
        ResultsError: if a transcript is missing, or is not the one that the manifest names.
    """
    rows = [_row(entry, out) for entry in entries]
    return sorted(rows, key=lambda row: (row.entry.task.name, -row.mean_return.estimate))


def _row(entry: Entry, out: Path) -> LanguageModelRow:
    assert entry.provenance is not None
    model = entry.provenance.language_model
    assert model is not None
    path = entry.folder / Path(model["transcript"]).name
    try:
        held = read_bytes(path)
    except FileNotFoundError:
        raise ResultsError(
            f"{path} is missing; a language model's results are shown with their transcript: put it there"
        ) from None
    found = hashlib.sha256(held).hexdigest()
    if found != model["digest"]:
        raise ResultsError(
            f"{path} has the SHA-256 {found}, the manifest says {model['digest']}; expected the transcript "
            "that the results were made from"
        )
    target = out / FOLDER / f"{file_name(f'{entry.source} {entry.task.slug}'.lower())}-{found[:8]}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, held)
    return LanguageModelRow(
        entry, model, mean_interval(entry.final[RETURN]), quote(target.relative_to(out).as_posix())
    )


def language_model_table(rows: Sequence[LanguageModelRow]) -> list[Row]:
    """The rows as files have them."""
    return [
        {
            "algorithm": row.entry.algorithm,
            "source": row.entry.source,
            "task": row.entry.task.name,
            "model": row.model["model"],
            "host": row.model["host"],
            "date": row.model["date"],
            "episodes": row.model["episodes"],
            "success": row.model["success"],
            "return": float(row.mean_return.estimate),
            "calls": row.model["calls"],
            "tokens": row.model["tokens"],
            "transcript": row.transcript,
        }
        for row in rows
    ]
