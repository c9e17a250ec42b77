"""Classes that can be seen without running anything, and some that cannot; running it would be an error."""

from __future__ import annotations

from hostile import Greedy
from hostile import Together as Renamed


class Own:
    def act(self, observation: object) -> int:
        return 0


class Inherits(Greedy):
    pass


class Assigned:
    act = Own.act


class Nothing:
    def acts(self, observation: object) -> int:
        return 0


if Renamed is not None:

    class Inner:
        def act_batch(self, observation: object) -> int:
            return 0


def make() -> type:
    class Hidden:
        def act(self, observation: object) -> int:
            return 0

    return Hidden


Made = make()

raise RuntimeError("it was run")
