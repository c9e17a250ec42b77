"""What happens between two decisions: eight ticks of a sixteenth of a second."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY, Battle
from stmg_envs.combat.fire import TICK, Blows, break_off, gaps, strike, swing
from stmg_envs.combat.layout import FIRST_MOVE, FIRST_TARGET, MOVES, STEP
from stmg_envs.combat.movement import PASSES, Ground, Separation, walk
from stmg_envs.combat.recovery import heal, regenerate
from stmg_envs.combat.scenarios import SIZE
from stmg_envs.combat.targeting import Attention, choose

TICKS = 8
"""Of a timestep."""
LATE = (-1.0, 2.0)
"""Game loops by which attacks come later than their period says, uniformly."""


@dataclass(frozen=True)
class Orders:
    """What the units are told for a timestep.

    Attributes:
        target: whom to attack or heal, int64 (U, B), or `NOBODY`.
        x: where to go, (U, B).
        y: likewise.
        sent: who is told to go there, bool (U, B).
        told: who is told anything; the others choose for themselves, bool (U, 1).
    """

    target: Tensor
    x: Tensor
    y: Tensor
    sent: Tensor
    told: Tensor


def agents_orders(battle: Battle, army: Army, actions: Tensor) -> Orders:
    """The orders of the agents' actions (n, B); nobody tells the enemies anything."""
    n = army.n
    directions = torch.tensor(MOVES, dtype=battle.x.dtype, device=battle.x.device)
    moves = (actions >= FIRST_MOVE) & (actions < FIRST_TARGET)
    direction = directions[(actions - FIRST_MOVE).clamp(0, len(MOVES) - 1)]
    aims = actions - FIRST_TARGET
    healer = (army.heals[:n] > 0)[:, None]
    target = torch.where(actions >= FIRST_TARGET, torch.where(healer, aims, aims + n), NOBODY)
    everybody = battle.target.clone()
    everybody[:n] = target
    x, y = battle.x.clone(), battle.y.clone()
    x[:n] += STEP * direction[..., 0]
    y[:n] += STEP * direction[..., 1]
    sent = torch.zeros_like(battle.fuse)
    sent[:n] = moves
    told = (torch.arange(len(army.kinds), device=x.device) < n)[:, None]
    return Orders(everybody, x, y, sent, told)


class Timestep:
    """The rules of a map for its army.

    Args:
        army: the units.
        cells: where one may walk, bool (SIZE, SIZE).
        way: from every cell the direction to where the enemies are ordered, (SIZE, SIZE, 2).
        attention: how units without orders choose targets.
        death_value: what a death counts in what units have dealt, where that is asked for.
    """

    def __init__(
        self,
        army: Army,
        cells: Tensor,
        way: Tensor,
        attention: Attention,
        death_value: float | None = None,
    ) -> None:
        self.death_value = death_value
        self.army = army
        self.ground = Ground(cells, army)
        self.separation = Separation(army)
        self.way = way.flatten(0, 1)
        self.attention = attention

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
        army = self.army
        late = (LATE[0] + (LATE[1] - LATE[0]) * lateness) * TICK
        self._obey(battle, orders)
        for tick in range(TICKS):
            self._turn(battle, orders, calls=tick == 0)
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
                dealt += blows.dealt(self.death_value)
            heal(battle, army, gap)
            regenerate(battle, army)
        return dealt

    def _obey(self, battle: Battle, orders: Orders) -> None:
        """Who is told something else than what it does breaks off; before the first strike for nothing."""
        changed = orders.told & (battle.swing >= 0) & ((battle.target != orders.target) | orders.sent)
        break_off(battle, changed)

    def _turn(self, battle: Battle, orders: Orders, calls: bool) -> None:
        """Give everybody its target of this tick."""
        army = self.army
        enemies = slice(army.n, len(army.kinds))
        target = orders.target.clone()
        target[enemies] = choose(battle, army, enemies, self.attention, calls)
        there = battle.alive.gather(0, target.clamp(min=0)) & (target != NOBODY) & battle.alive
        turned = torch.where(there, target, NOBODY)
        # An attack is one at somebody: who turns to another one begins anew.
        dropped = (battle.swing >= 0) & (turned != battle.target)
        break_off(battle, dropped)
        battle.target = turned

    def _ways(self, battle: Battle, orders: Orders) -> tuple[Tensor, Tensor]:
        """Where those go who are told nothing and have no target."""
        column, row = battle.x.long().clamp(0, SIZE - 1), battle.y.long().clamp(0, SIZE - 1)
        way = self.way[column * SIZE + row]
        return torch.where(orders.told, 0.0, way[..., 0]), torch.where(orders.told, 0.0, way[..., 1])
