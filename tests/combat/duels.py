"""Small battles for tests: a few units on open ground, told what to do."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stmg_envs.combat.army import Army, muster
from stmg_envs.combat.battle import Battle, begin
from stmg_envs.combat.ground import walkable
from stmg_envs.combat.layout import FIRST_TARGET, STOP
from stmg_envs.combat.orders import give_orders
from stmg_envs.combat.scenarios import OPEN, SIZE, Scenario
from stmg_envs.combat.targeting import Attention
from stmg_envs.combat.timestep import Timestep

ON_TIME = 1 / 3
"""The draw with which attacks are neither early nor late."""
BLIND = Attention(scan=0.0, leash=0.0, help=0.0)
"""Enemies that turn to nobody."""


class Field:
    """One battle.

    Args:
        allies: kind and place of each agent.
        enemies: likewise.
        attention: of the enemies; by default they do nothing.
        ground: where one may walk.
    """

    def __init__(
        self,
        allies: Sequence[tuple[str, float, float]],
        enemies: Sequence[tuple[str, float, float]],
        attention: Attention = BLIND,
        ground: str = OPEN,
    ) -> None:
        scenario = Scenario(
            tuple((kind, 1, (x, y)) for kind, x, y in allies),
            tuple((kind, 1, (x, y)) for kind, x, y in enemies),
            limit=1000,
        )
        self.army: Army = muster(scenario)
        places = torch.tensor([[float(x), float(y)] for _, x, y in (*allies, *enemies)])
        self.battle: Battle = begin(self.army, places[:, :1].clone(), places[:, 1:].clone())
        if attention is BLIND:
            # Whoever stands within a weapon's range is seen.
            self.battle.cooldown[self.army.n :] = 1e9
        self.rules = Timestep(self.army, walkable(ground), torch.zeros(SIZE, SIZE, 2), attention, 10.0)
        self.dealt = torch.zeros(len(places), 1)

    def step(self, *actions: int) -> None:
        """One timestep; agents without an action stop."""
        told = [*actions, *[STOP] * (self.army.n - len(actions))]
        orders = give_orders(self.battle, self.army, torch.tensor(told)[:, None])
        late = torch.full((len(self.army.kinds), 1), ON_TIME)
        self.dealt += self.rules.run(self.battle, orders, late)

    def place(self, unit: int) -> tuple[float, float]:
        return float(self.battle.x[unit]), float(self.battle.y[unit])

    def health(self, unit: int) -> float:
        return float(self.battle.health[unit] + self.battle.shield[unit])

    def distances(self) -> Tensor:
        """Between all units, (U, U)."""
        dx, dy = self.battle.x - self.battle.x.t(), self.battle.y - self.battle.y.t()
        return (dx * dx + dy * dy).sqrt()


def in_range(attacker: str, target: str) -> Field:
    """An agent that just reaches an enemy who does not answer."""
    probe = muster(Scenario(((attacker, 1, (0, 0)),), ((target, 1, (0, 0)),), 1))
    gap = float(probe.radius.sum() + probe.range[0]) - 0.01
    return Field([(attacker, 10.0, 16.0)], [(target, 10.0 + gap, 16.0)])


ATTACK = FIRST_TARGET
"""The action that attacks the first enemy."""
