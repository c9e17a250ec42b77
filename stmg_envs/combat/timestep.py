"""What happens between two decisions: eight ticks of a sixteenth of a second."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY, Battle
from stmg_envs.combat.fire import TICK, Blows, break_off, gaps, strike, swing
from stmg_envs.combat.movement import PASSES, Ground, Separation, walk
from stmg_envs.combat.orders import Orders
from stmg_envs.combat.recovery import heal, regenerate
from stmg_envs.combat.scenarios import SIZE
from stmg_envs.combat.targeting import Attention, choose

TICKS = 8
"""Of a timestep."""
LATE = (-1.0, 2.0)
"""Game loops by which attacks come later than their period says, uniformly."""


class Timestep:
    """The rules of a map for its army.

    Args:
        army: the units.
        cells: where one may walk, bool (SIZE, SIZE).
        way: from every cell the direction to where the enemies are ordered, (SIZE, SIZE, 2).
        attention: how units without orders choose targets.
        death_value: what a death counts in what units have dealt, where that is asked for.
        compiled: whether ticks are compiled for the batch that is seen first, which takes a while.
    """

    def __init__(
        self,
        army: Army,
        cells: Tensor,
        way: Tensor,
        attention: Attention,
        death_value: float | None = None,
        compiled: bool = False,
    ) -> None:
        self._tick = torch.compile(self._advance, dynamic=False) if compiled else self._advance
        self.death_value = death_value
        self.army = army
        self.ground = Ground(cells, army)
        self.separation = Separation(army)
        self.way = way.flatten(0, 1)
        self.attention = attention
        self.place = torch.arange(len(army.kinds), device=way.device)[:, None]

    def run(self, battle: Battle, orders: Orders, lateness: Tensor) -> Tensor:
        """Eight ticks.

        Args:
            battle: changed in place.
            orders: for all of them.
            lateness: uniform on (0, 1), (U, B): how late the next attack of each comes, see `LATE`.

        Returns:
            What every unit has dealt, (U, B), if `death_value` is set; else zeros.
        """
        dealt = torch.zeros_like(battle.x)
        late = (LATE[0] + (LATE[1] - LATE[0]) * lateness) * TICK
        self._obey(battle, orders)
        for tick in range(TICKS):
            dealt = self._tick(battle, orders, late, dealt, tick == 0)
        return dealt

    def _advance(self, battle: Battle, orders: Orders, late: Tensor, dealt: Tensor, calls: bool) -> Tensor:
        """One tick.

        Args:
            battle: changed in place.
            orders: of the timestep.
            late: seconds by which attacks that begin come later, (U, B).
            dealt: by every unit before, (U, B).
            calls: whether units hear friends that are hurt.

        Returns:
            What every unit has dealt, as `run`.
        """
        army = self.army
        self._turn(battle, orders, calls)
        gap = gaps(battle, army)
        strikes = swing(battle, army, gap, late)
        dx, dy = walk(battle, army, gap, (orders.x, orders.y, orders.sent), self._ways(battle, orders))
        self.ground.move(battle, dx, dy)
        for _ in range(PASSES):
            self.separation.push(battle, self.ground)
        blows = Blows(army, battle.x)
        strike(battle, army, strikes, blows)
        blows.land(battle)
        if self.death_value is not None:
            dealt = dealt + blows.dealt(self.death_value)
        heal(battle, army, gap)
        regenerate(battle, army)
        return dealt

    def _obey(self, battle: Battle, orders: Orders) -> None:
        """Who is told something else than what it does breaks off; before the first strike for nothing."""
        told = self.place < orders.told
        changed = told & (battle.swing >= 0) & ((battle.target != orders.target) | orders.sent)
        break_off(battle, changed)

    def _turn(self, battle: Battle, orders: Orders, calls: bool) -> None:
        """Give everybody its target of this tick."""
        army = self.army
        target, free = orders.target.clone(), slice(orders.told, len(army.kinds))
        if orders.told < len(army.kinds):
            target[free] = choose(battle, army, free, self.attention, calls)
        there = battle.alive.gather(0, target.clamp(min=0)) & (target != NOBODY) & battle.alive
        turned = torch.where(there, target, NOBODY)
        # An attack is one at somebody: who turns to another one begins anew.
        dropped = (battle.swing >= 0) & (turned != battle.target)
        break_off(battle, dropped)
        battle.target = turned

    def _ways(self, battle: Battle, orders: Orders) -> tuple[Tensor, Tensor]:
        """Where those go who are told nothing and have no target."""
        told = self.place < orders.told
        column, row = battle.x.long().clamp(0, SIZE - 1), battle.y.long().clamp(0, SIZE - 1)
        way = self.way[column * SIZE + row]
        return torch.where(told, 0.0, way[..., 0]), torch.where(told, 0.0, way[..., 1])
