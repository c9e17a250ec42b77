"""How long to wait before an attempt is made again, and how often one is made."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stmg_envs.arguments import require_count, require_positive


@dataclass(frozen=True)
class Retry:
    """The one place where failed attempts are made again.

    Attributes:
        attempts: per call, at most, not counting those that taught how the endpoint wants to be asked.
        first: seconds before the second attempt, at most; each wait after it may be twice as long.
        most: seconds of any wait, at most, whatever the endpoint asks for.
        doublings: how often a reply that was cut off is asked for again with twice the tokens, at most.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    attempts: int = 6
    first: float = 1.0
    most: float = 60.0
    doublings: int = 3

    def __post_init__(self) -> None:
        require_count("attempts", self.attempts, 1)
        require_count("doublings", self.doublings, 0)
        require_positive(first=self.first, most=self.most)

    def wait(self, failed: int, retry_after: float | None, chance: random.Random) -> float:
        """Seconds to wait.

        Half of it is chance, so that calls that failed together do not come back together.

        Args:
            failed: attempts that have failed so far, at least 1.
            retry_after: seconds that the endpoint asks to wait, or None.
            chance: where the chance comes from.
        """
        if retry_after is not None:
            # Not before that, and a little apart.
            return min(self.most, retry_after + self.first * chance.uniform(0, 0.5))
        # The exponent has a bound, or many attempts would overflow.
        ceiling = min(self.most, self.first * 2.0 ** min(failed - 1, 60))
        return ceiling * chance.uniform(0.5, 1)


PATIENT = Retry()
"""What endpoints that others use as well ask for."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110, section 10.2.3), or None if it asks for nothing clear.

    Args:
        headers: of the answer; names in small letters, or a mapping that does not mind.
        now: the time, by default the clock's.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        # The obsolete forms of dates have no zone; all of HTTP is in UTC.
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
