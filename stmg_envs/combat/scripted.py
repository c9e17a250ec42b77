"""A team that plays by rule: fire together at the weakest, keep away from those that must come close.

It bounds what a simple player gets on a map, and is an opponent for learned ones. It sees the whole battle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.layout import FIRST_MOVE, FIRST_TARGET, MOVES, STOP
from stmg_envs.combat.units import LOOPS_PER_SECOND
from stmg_envs.protocol import State

MELEE = 1.0
"""Range below which an enemy has to come close."""
TOO_CLOSE = 3.0
"""From edge to edge: whoever shoots farther walks away between shots from those that fight hand to hand."""
RELOADING = 4 / LOOPS_PER_SECOND
"""Seconds of cooldown that are worth a step away."""


def focus_fire(state: State, army: Army) -> Tensor:
    """Actions of the agents, int64 (B, n), all legal.

    Everybody attacks the enemy in reach that has the least health and shield left, and of those with as much
    the first one; a healer heals whom it reaches that has the least share of its health. Without anybody in
    reach agents walk towards the closest enemy. Between shots those with range walk away from enemies that
    fight hand to hand.

    Args:
        state: of B battles.
        army: their units.
    """
    n, legal = army.n, state["legal"]
    x, y, health = state["x"], state["y"], state["health"]
    alive, total = health > 0, health + state["shield"]
    dx, dy = x[:, None] - x[:, :n, None], y[:, None] - y[:, :n, None]
    gap = (dx * dx + dy * dy).sqrt() - army.radius - army.radius[:n, None]

    fighters = legal[..., FIRST_TARGET:]
    weakest = torch.where(fighters, total[:, None, n:], torch.inf).argmin(dim=-1)
    healers = (army.heals[:n] > 0)[:, None]
    width = min(n, legal.shape[-1] - FIRST_TARGET)
    share = (health / army.health)[:, None, :width].expand(-1, n, -1)
    needy = torch.where(fighters[..., :width], share, torch.inf).argmin(dim=-1)
    target = torch.where(healers.squeeze(1), needy, weakest)
    attack = FIRST_TARGET + target

    foes = alive[:, None, n:].expand(-1, n, -1)
    distance = torch.where(foes, gap[..., n:], torch.inf)
    nearest = distance.min(dim=-1)
    toward = _move(dx, dy, nearest.indices + n, legal, 1.0)
    melee = (army.range < MELEE)[n:]
    threat = torch.where(foes & melee, gap[..., n:], torch.inf).min(dim=-1)
    flees = (threat.values < TOO_CLOSE) & (army.range[:n] >= MELEE) & (state["cooldown"][:, :n] > RELOADING)
    away = _move(dx, dy, threat.indices + n, legal, -1.0)

    actions = torch.where(fighters.any(dim=-1), attack, toward)
    actions = torch.where(flees & (away != STOP), away, actions)
    return torch.where(alive[:, :n], actions, 0)


def _move(dx: Tensor, dy: Tensor, unit: Tensor, legal: Tensor, sign: float) -> Tensor:
    """The legal move that leads most towards a unit (B, n), or away from it; stopping if there is none."""
    tx, ty = (place.gather(2, unit[..., None])[..., 0] * sign for place in (dx, dy))
    along = torch.stack([tx * mx + ty * my for mx, my in MOVES], dim=-1)
    along = along.masked_fill(~legal[..., FIRST_MOVE:FIRST_TARGET], -torch.inf)
    best = along.max(dim=-1)
    return torch.where(best.values > 0, FIRST_MOVE + best.indices, STOP)
