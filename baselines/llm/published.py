"""What the papers reached on the tasks that are played here, to be set beside it."""

from __future__ import annotations

from dataclasses import dataclass

from baselines.evaluation.spread import Spread
from baselines.reproduce.experiments import EXPERIMENTS

MODEL, EPISODES = "GPT-4, published", 10


@dataclass(frozen=True)
class Published:
    """A row of the table of LLaMAC's paper; its instances are not known.

    Attributes:
        method: "hmas-2" or "llamac".
        success: share of the instances that were solved.
        steps: over those, as `feedback` and `tokens`; None where there are none.
    """

    method: str
    success: float
    steps: Spread | None
    feedback: Spread | None
    tokens: Spread | None


def published_rows(task: str) -> list[Published]:
    """The rows of a task, none for most."""
    rows = EXPERIMENTS["llamac"]().published.get(task, {})

    def spread(numbers: dict[str, float], name: str) -> Spread | None:
        return Spread(numbers[name], numbers[f"{name}_deviation"]) if name in numbers else None

    return [
        Published(
            method, numbers["success"], *(spread(numbers, name) for name in ("steps", "feedback", "tokens"))
        )
        for method, numbers in rows.items()
    ]
