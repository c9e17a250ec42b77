"""What a policy may use, and what its processes have done."""

from __future__ import annotations

from dataclasses import dataclass

from stmg_envs.arguments import require_count, require_positive


@dataclass(frozen=True)
class Limits:
    """What a policy may use.

    Attributes:
        decision_seconds: for one call of `act`, `act_batch` or `reset`.
        start_seconds: to import its module, and to make it.
        total_seconds: for all its calls together.
        memory_gib: memory of all its processes together, in GiB.
        processes: how many there may be at a time.

    Raises:
        InvalidArgumentError: if a number is not positive.
    """

    decision_seconds: float = 1.0
    start_seconds: float = 60.0
    total_seconds: float = 3600.0
    memory_gib: float = 4.0
    processes: int = 32

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in vars(self).items() if name != "processes"}
        require_positive(**numbers)
        require_count("processes", self.processes, 1)


@dataclass(frozen=True)
class Verdict:
    """What there is to say of a policy's processes when they are gone.

    Attributes:
        exitcode: of the policy's own process, negative for a signal; None if it had to be ended.
        passed: the limit that it passed, if any.
        left: processes that it had started and that had to be ended.
        stayed: processes that could not be ended, for they start others faster; never in namespaces.
        separate: whether its processes had namespaces of their own.
        printed: bytes it has printed.
        output: the last of them.
    """

    exitcode: int | None = None
    passed: str | None = None
    left: int = 0
    stayed: int = 0
    separate: bool = False
    printed: int = 0
    output: str = ""
