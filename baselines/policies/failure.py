"""What can become of somebody's policy."""

from __future__ import annotations

from typing import Literal, get_args

Status = Literal[
    "ok", "crashed", "timed out", "invalid action", "out of memory", "too many processes", "ended"
]
"""What became of a policy.

| Status               | Meaning                                                                          |
|----------------------|----------------------------------------------------------------------------------|
| `ok`                 | it has played all episodes                                                       |
| `crashed`            | it raised an error                                                               |
| `timed out`          | it did not answer in time                                                        |
| `invalid action`     | it returned no number, NaN, another shape, or an action that is not legal        |
| `out of memory`      | it asked for more than it may have                                               |
| `too many processes` | it started more than it may have                                                 |
| `ended`              | its process is gone: it exited, or was ended by a signal                         |
"""


class PolicyFailureError(Exception):
    """A policy is out of the evaluation.

    Args:
        status: what happened.
        detail: more about it, in one line.
    """

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


def known_status(text: object) -> Status:
    """A status that the policy's process has told; anything else means that it crashed."""
    return next((status for status in get_args(Status) if status == text and status != "ok"), "crashed")
