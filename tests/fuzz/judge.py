"""Tries one malformed input and says what became of it."""

from __future__ import annotations

import resource
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from baselines.policies.failure import PolicyFailureError
from stmg_envs.errors import STMGError

SECONDS = 20.0
"""For one input; the slowest takes a tenth of that on a machine that has other things to do."""
MEMORY = 3 * 2**30
"""Bytes that all inputs together may take beyond what is there before."""
LONGEST_MESSAGE = 4000
"""Characters of an error; nobody reads more of them."""
TYPED = (STMGError, PolicyFailureError)
"""The project's errors; the second ends the policy that it is about, and nothing else."""
FINE = ("refused", "same")
"""Outcomes that are allowed."""


@dataclass(frozen=True)
class Case:
    """One malformed input.

    Attributes:
        change: what was made wrong, in words.
        call: what is done with it; returns what came of it.
        original: what the same call gives of the input before the change, where there was one. Who takes the
            changed one as well must make the same of it.
    """

    change: str
    call: Callable[[], Any]
    original: Any = None


Kind = Callable[[np.random.Generator, Path], Case]
"""Makes a case, with an empty folder for its files."""


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes:
        outcome: `refused` by a typed error; taken with the `same` result; or one of the faults: a `raw`
            error, a `hang`, a silent acceptance (`accepted`), an error that is no sentence (`unclear`).
        said: the error, or what was accepted.
    """

    outcome: str
    said: str

    @property
    def fine(self) -> bool:
        return self.outcome in FINE


class TooLongError(BaseException):
    """No Exception, so that nobody takes it for the input's error."""


def judge(case: Case, seconds: float = SECONDS) -> Verdict:
    """Try a case."""
    try:
        with time_limit(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = case.call()
    except TooLongError:
        return Verdict("hang", f"no end within {seconds:g} s")
    except TYPED as error:
        said = str(error)
        clear = 0 < len(said) <= LONGEST_MESSAGE
        return Verdict("refused" if clear else "unclear", said[:LONGEST_MESSAGE])
    # Whatever else it raises is what is looked for.
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict("raw", f"{type(error).__name__}: {str(error)[:300]} ({last.filename}:{last.lineno})")
    # As text, for numbers that are NaN are not equal to themselves, and arrays are not simply equal.
    if case.original is not None and repr(result) == repr(case.original):
        return Verdict("same", "")
    return Verdict("accepted", repr(result)[:300])


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLongError in whatever takes longer."""

    def late(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def little_memory(most: int = MEMORY) -> Iterator[None]:
    """Let this process have so many bytes more, so that an input that asks for all of them takes none."""
    status = Path("/proc/self/status")
    if not status.exists():
        yield
        return
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmData"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(line.split()[1]) * 1024 + most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
