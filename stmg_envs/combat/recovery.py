"""What comes back: health from healers, shields, health of Zerg, energy."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import AT_REST, Battle, at
from stmg_envs.combat.fire import EARLY, TICK
from stmg_envs.combat.units import (
    ENERGY_RATE,
    HEAL_COST,
    LEAST_ENERGY,
    MOST_ENERGY,
    SHIELD_DELAY,
    SHIELD_RATE,
    ZERG_RATE,
)


def heal(battle: Battle, army: Army, gap: Tensor) -> None:
    """Healers in range give health for energy."""
    if not army.healers:
        return
    healers = army.healers.index
    patient = battle.target[healers]
    room = at(army.health[:, None].expand_as(battle.health) - battle.health, patient)
    busy = battle.swing[healers] >= 0
    able = battle.alive[healers] & (gap[healers] <= army.range[healers, None]) & (room > 0)
    least = torch.where(busy, EARLY, LEAST_ENERGY)
    able &= (at(battle.health, patient) > 0) & (battle.energy[healers] >= least)
    most = torch.minimum(army.heals[healers, None] * TICK, battle.energy[healers] / HEAL_COST)
    given = torch.where(able, torch.minimum(most, room), 0.0)
    battle.energy = battle.energy.index_add(0, healers, -HEAL_COST * given)
    battle.swing = battle.swing.index_copy(0, healers, torch.where(able, 0.0, AT_REST))
    row = torch.where(able, patient, len(battle.health))
    gain = torch.zeros(len(battle.health) + 1, battle.health.shape[1], device=gap.device)
    gain.scatter_add_(0, row, given)
    battle.health = torch.minimum(battle.health + gain[:-1], army.health[:, None])


def regenerate(battle: Battle, army: Army) -> None:
    """What comes back by itself: shields after a while, health of Zerg, energy."""
    alive = battle.alive
    rested = alive & (battle.unhurt >= SHIELD_DELAY)
    shield = torch.minimum(battle.shield + SHIELD_RATE * TICK, army.shield[:, None])
    battle.shield = torch.where(rested, shield, battle.shield)
    if army.has_zerg:
        health = torch.minimum(battle.health + ZERG_RATE * TICK, army.health[:, None])
        battle.health = torch.where(alive & army.zerg[:, None], health, battle.health)
    battle.energy = (battle.energy + ENERGY_RATE * TICK).clamp(max=MOST_ENERGY)
