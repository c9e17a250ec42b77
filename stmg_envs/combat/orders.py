"""What units are told for a timestep, by those that decide for them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY, Battle
from stmg_envs.combat.layout import FIRST_MOVE, FIRST_TARGET, MOVES, STEP


@dataclass(frozen=True)
class Orders:
    """What the units are told for a timestep.

    Attributes:
        target: whom to attack or heal, int64 (U, B), or `NOBODY`.
        x: where to go, (U, B).
        y: likewise.
        sent: who is told to go there, bool (U, B).
        told: how many units are told anything, the first ones; the others choose for themselves.
    """

    target: Tensor
    x: Tensor
    y: Tensor
    sent: Tensor
    told: int


@functools.cache
def _directions(device: torch.device) -> Tensor:
    """Where one goes by each of the moves, float32 (moves, 2)."""
    return torch.tensor(MOVES, dtype=torch.float32, device=device)


def give_orders(battle: Battle, army: Army, actions: Tensor) -> Orders:
    """The orders of actions (V, B) for the first V units: the allies, or everybody."""
    told, n = len(actions), army.n
    moves = (actions >= FIRST_MOVE) & (actions < FIRST_TARGET)
    direction = _directions(battle.x.device)[(actions - FIRST_MOVE).clamp(0, len(MOVES) - 1)]
    # Targets count from the first enemy of a unit, or its first friend if it heals: unit 0 is the first ally.
    ally = torch.arange(told, device=battle.x.device) < n
    first = torch.where(ally == (army.heals[:told] > 0), 0, n)[:, None]
    everybody = battle.target.clone()
    everybody[:told] = torch.where(actions >= FIRST_TARGET, actions - FIRST_TARGET + first, NOBODY)
    x, y = battle.x.clone(), battle.y.clone()
    x[:told] += STEP * direction[..., 0]
    y[:told] += STEP * direction[..., 1]
    sent = torch.zeros_like(battle.fuse)
    sent[:told] = moves
    return Orders(everybody, x, y, sent, told)
