"""Ctrl-C between updates, not inside one, so that nothing already computed is lost."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType


@dataclass(frozen=True)
class Stopped:
    """Where an interrupted training has saved itself: the argument of the KeyboardInterrupt that ends it.

    Attributes:
        path: the run directory.
        step: environment steps per run so far.
        total_steps: environment steps per run in all.
    """

    path: Path
    step: int
    total_steps: int

    def __str__(self) -> str:
        return f"{self.path} stopped at step {self.step:,} of {self.total_steps:,} and can be resumed"


SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What ends programs, as far as the system knows it."""


class StopRequest:
    """While active, the first signal to end sets `requested`; a second one acts at once.

    A terminal that closes sends one too (SIGHUP).
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> StopRequest:
        for number in SIGNALS:
            try:
                self._previous[number] = signal.signal(number, self._handle)
            except ValueError:
                # Outside the main thread signals cannot be caught; there is nothing to do then.
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
