"""Whom units turn to: agents as they are told, others by StarCraft's rules as far as these are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY, Battle, at
from stmg_envs.combat.fire import SLOP

RECENT = 2.0
"""Seconds for which a unit that was hurt calls its friends."""


@dataclass(frozen=True)
class Attention:
    """How units without orders choose; the game's own rules are closed.

    Attributes:
        scan: how far they look for enemies from edge to edge, cells, or their range if that is more.
        leash: how far they follow whom they have seen or who has hurt them.
        sticky: whether they keep a target in range as long as it lives, or always take the closest one.
        help: within which distance of a friend who is hurt they turn to who has hurt it.
    """

    scan: float = 5.0
    leash: float = 21.0
    sticky: bool = True
    help: float = 4.0


def choose(battle: Battle, army: Army, side: slice, attention: Attention, calls: bool) -> Tensor:
    """Targets of the units of a side that nobody orders, int64 (V, B).

    A target that lives is kept while it is in range. Else the closest one within the scan is taken; else who
    was followed before, as far as the leash reaches; else who has hurt the unit last; else who has hurt a
    friend nearby. Healers turn to the friend in reach with the least share of its health.

    Args:
        battle: the battles.
        army: their units.
        side: the units, consecutive.
        attention: how they choose.
        calls: whether friends are heard in this tick, which they are once a timestep.
    """
    alive = battle.alive
    gap = _gaps_from(battle, army, side)
    possible = army.hostile[side, :, None] & alive
    gap = torch.where(possible, gap, torch.inf)
    closest = gap.min(dim=1)
    sight = torch.maximum(army.range[side], torch.full_like(army.range[side], attention.scan))[:, None]
    seen = torch.where(closest.values <= sight, closest.indices, NOBODY)

    def valid(index: Tensor, reach: Tensor) -> Tensor:
        there = gap.gather(1, index.clamp(min=0)[:, None])[:, 0]
        return (index != NOBODY) & (there <= reach)

    present, hurt_by = battle.target[side], battle.hurt_by[side]
    leash = torch.full_like(sight, attention.leash)
    chosen = torch.where(valid(present, leash), present, NOBODY)
    chosen = torch.where((chosen == NOBODY) & valid(hurt_by, leash), hurt_by, chosen)
    if calls and attention.help > 0:
        called = _called(battle, army, side, attention.help)
        chosen = torch.where((chosen == NOBODY) & valid(called, leash), called, chosen)
    chosen = torch.where(seen != NOBODY, seen, chosen)
    if attention.sticky:
        in_range = valid(present, army.range[side, None] + SLOP * (battle.swing[side] >= 0))
        chosen = torch.where(in_range, present, chosen)
    for healer in army.healers.members:
        if side.start <= healer < side.stop:
            chosen[healer - side.start] = _patient(battle, army, healer, attention)
    return torch.where(alive[side], chosen, NOBODY)


def _gaps_from(battle: Battle, army: Army, units: slice) -> Tensor:
    """From some units to all, from edge to edge, (V, U, B)."""
    dx, dy = battle.x - battle.x[units, None], battle.y - battle.y[units, None]
    return (dx * dx + dy * dy).sqrt() - army.radius[:, None] - army.radius[units, None, None]


def _called(battle: Battle, army: Army, side: slice, reach: float) -> Tensor:
    """Who has lately hurt the closest friend that calls, int64 (V, B)."""
    dx = battle.x[side] - battle.x[side, None]
    dy = battle.y[side] - battle.y[side, None]
    calls = battle.alive[side] & (battle.unhurt[side] <= RECENT) & (battle.hurt_by[side] != NOBODY)
    distance = torch.where(calls, (dx * dx + dy * dy).sqrt(), torch.inf)
    nearest = distance.min(dim=1)
    return torch.where(nearest.values <= reach, at(battle.hurt_by[side], nearest.indices), NOBODY)


def _patient(battle: Battle, army: Army, healer: int, attention: Attention) -> Tensor:
    """The friend in reach that has the least share of its health, and less than all; int64 (B,)."""
    gap = _gaps_from(battle, army, slice(healer, healer + 1))[0]
    share = battle.health / army.health[:, None]
    needs = army.hostile[healer, :, None] & battle.alive & (share < 1) & (gap <= attention.scan)
    least = torch.where(needs, share, torch.inf).min(dim=0)
    return torch.where(torch.isfinite(least.values), least.indices, NOBODY)
