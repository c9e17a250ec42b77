"""Every kind of input, and how to try numbered cases of it."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fuzz.answers import ANSWERS
from fuzz.arguments import ARGUMENTS
from fuzz.checkpoints import CHECKPOINTS
from fuzz.commands import LINES
from fuzz.environments import ENVIRONMENTS
from fuzz.files import FILES
from fuzz.impossible import IMPOSSIBLE
from fuzz.judge import Case, Kind, Verdict, judge, little_memory

KINDS: dict[str, Kind] = {
    **FILES,
    **CHECKPOINTS,
    **IMPOSSIBLE,
    **ARGUMENTS,
    **ENVIRONMENTS,
    **ANSWERS,
    **LINES,
}


@dataclass(frozen=True)
class Tried:
    """A case and what became of it; `kind`, `seed` and `number` make it again."""

    kind: str
    seed: int
    number: int
    change: str
    verdict: Verdict

    def __str__(self) -> str:
        again = f"--kind {self.kind!r} --seed {self.seed} --number {self.number}"
        return f"{self.verdict.outcome}: {self.kind}: {self.change}\n    {self.verdict.said}\n    {again}"


def make(kind: str, seed: int, number: int, folder: Path) -> Case:
    """The numbered case of a kind; the same every time."""
    return KINDS[kind](np.random.default_rng([seed, zlib.crc32(kind.encode()), number]), folder)


def attempts(kind: str, seed: int, numbers: Iterable[int]) -> Iterator[Tried]:
    """Try numbered cases of a kind, each in an empty folder."""
    for number in numbers:
        folder = Path(tempfile.mkdtemp(prefix="stmg-case-"))
        try:
            case = make(kind, seed, number, folder)
            with little_memory():
                verdict = judge(case)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield Tried(kind, seed, number, case.change, verdict)


def counts(tried: Iterable[Tried]) -> Counter[str]:
    """How often each outcome was."""
    return Counter(one.verdict.outcome for one in tried)
