"""Resource allocation in words."""

from __future__ import annotations

from collections.abc import Sequence

from stmg_envs.allocation.worth import MOST
from stmg_envs.protocol import GameText, State

RULES = """\
{n} agents take shares of one stock. Each takes a whole number from 0 to {most}; x is the sum of all shares.
Together they gain x * exp(-(x - mu)^2 / sigma^2){known}. They must together gain as
much as possible, so that the sum counts: too little leaves something, too much spoils the stock.{rounds}"""


class AllocationText(GameText):
    """Shares by their numbers: `"3"` takes 3.

    Args:
        agents: their names.
        mu: where the exponential is 1, or None if agents are not to know.
        sigma: its width.
        rounds: joint steps in an episode.
    """

    def __init__(self, agents: Sequence[str], mu: float | None, sigma: float, rounds: int) -> None:
        self.agents = tuple(agents)
        self._rounds = rounds
        if mu is None:
            known = f", where sigma = {sigma:g}; mu is not known, but is the same in all rounds"
        else:
            known = f", where mu = {mu:g} and sigma = {sigma:g}"
        several = f" This is done {rounds} times." if rounds > 1 else ""
        self.rules = RULES.format(n=len(self.agents), most=MOST, known=known, rounds=several)

    def scene(self, state: State) -> str:
        played, taken = int(state["played"][0]), state["taken"][0].tolist()
        if not played:
            return f"Round 1 of {self._rounds}: nothing has been taken yet."
        last = f"in the last round the shares {taken} made x = {sum(taken)}"
        return f"Round {played + 1} of {self._rounds}: {last}."

    def view(self, state: State, agent: int) -> str:
        return self.scene(state)

    def actions(self, agent: int) -> Sequence[str]:
        return [str(share) for share in range(MOST + 1)]
