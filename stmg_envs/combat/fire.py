"""Attacks: when they begin and strike, what they do to whom, missiles, explosions."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import AT_REST, NOBODY, Battle, at
from stmg_envs.combat.units import LEAST_DAMAGE, LOOPS_PER_SECOND

TICK = 1 / LOOPS_PER_SECOND
"""Seconds of a tick."""
SLOP = 1.0
"""By how much a target may leave an attack's range once the attack has begun."""
LINE_DEPTH = 0.15
"""Half the width of the line on which a colossus strikes."""
EARLY = 1e-6
"""Seconds by which rounding may make something late."""


def gaps(battle: Battle, army: Army) -> Tensor:
    """From every unit to its target, from edge to edge, (U, B); infinite without one."""
    dx = at(battle.x, battle.target) - battle.x
    dy = at(battle.y, battle.target) - battle.y
    radius = army.radius[:, None].expand_as(battle.x)
    gap = (dx * dx + dy * dy).sqrt() - radius - at(radius, battle.target)
    return torch.where(battle.target != NOBODY, gap, torch.inf)


def swing(battle: Battle, army: Army, gap: Tensor, lateness: Tensor) -> Tensor:
    """Begin, go on with and end attacks.

    Args:
        battle: the battles.
        army: their units.
        gap: from edge to edge to targets, (U, B).
        lateness: seconds that the next attack comes later than the period says, (U, B).

    Returns:
        Strikes of this tick, int64 (U, B).
    """
    fighter = (army.heals == 0)[:, None]
    swinging = battle.swing >= 0
    reach = army.range[:, None] + SLOP * swinging
    # Who loses its target in the middle of an attack has not attacked, if nothing has struck yet.
    lost = swinging & (battle.struck == 0) & (gap > reach)
    battle.swing = torch.where(lost, AT_REST, battle.swing)
    battle.cooldown = torch.where(lost, 0.0, battle.cooldown - TICK).clamp_(min=-TICK)
    # A weapon that is ready does not wait for the end of the backswing.
    done = (battle.swing < 0) | (battle.struck >= army.strikes[:, None])
    begins = fighter & battle.alive & done & (battle.cooldown <= EARLY)
    begins &= gap <= army.range[:, None]
    period = army.period[:, None] + lateness
    battle.cooldown = torch.where(begins, battle.cooldown + period, battle.cooldown)
    battle.struck = torch.where(begins, 0, battle.struck)
    going_on = fighter & (battle.swing >= 0)
    battle.swing = torch.where(begins, 0.0, torch.where(going_on, battle.swing + TICK, battle.swing))

    since = battle.swing - army.damage_point[:, None] + EARLY
    due = (since >= 0).long()
    due += ((since >= army.strike_delay[:, None]) & (army.strikes > 1)[:, None]) & (since >= 0)
    able = fighter & (battle.swing >= 0) & (battle.target != NOBODY) & battle.alive
    strikes = torch.where(able, due - battle.struck, 0)
    battle.struck = battle.struck + strikes
    spread = ((army.strikes - 1) * army.strike_delay + army.backswing)[:, None]
    over = (since > spread) & (battle.struck >= army.strikes[:, None])
    gone = (battle.swing >= 0) & (battle.target == NOBODY)
    battle.swing = torch.where(over | gone | ~battle.alive, AT_REST, battle.swing)
    return strikes


def break_off(battle: Battle, where: Tensor) -> None:
    """End attacks, bool (U, B); one that has not struck yet has not been made, and the weapon is ready."""
    battle.cooldown = torch.where(where & (battle.struck == 0), 0.0, battle.cooldown)
    battle.swing = torch.where(where, AT_REST, battle.swing)


class Blows:
    """What strikes in a tick do, gathered before it is done: all of it happens at once.

    Args:
        army: the units.
        like: a tensor (U, B).
    """

    def __init__(self, army: Army, like: Tensor) -> None:
        self.army = army
        rows = (len(like) + 1, like.shape[1])
        # The last row takes what hits nobody.
        self.raw = like.new_zeros(rows)
        self.soft = like.new_zeros(rows)
        self.count = like.new_zeros(rows)
        self.by = torch.full(rows, NOBODY, device=like.device)
        self._strikes: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, shooters: Tensor, target: Tensor, damage: Tensor, count: Tensor) -> None:
        """Strikes of some units at one target each.

        Args:
            shooters: indices (V,).
            target: (V, B); `NOBODY` where there is none.
            damage: of each strike, before armour, (V, B).
            count: strikes, (V, B).
        """
        hits = (target != NOBODY) & (count > 0)
        row = torch.where(hits, target, len(self.raw) - 1)
        armour = self.army.armour[:, None].expand(-1, target.shape[1])
        soft = (damage - at(armour, target)).clamp(min=LEAST_DAMAGE) * count
        force = torch.where(hits, damage * count, 0.0)
        self._strikes.append((shooters, row, force))
        self.raw.scatter_add_(0, row, force)
        self.soft.scatter_add_(0, row, soft)
        self.count.scatter_add_(0, row, count.to(damage.dtype))
        self.by.scatter_(0, row, shooters[:, None].expand_as(row))

    def land(self, battle: Battle) -> None:
        """Take from shields first, from health what is left, less the armour of every strike at it."""
        before = battle.health + battle.shield
        raw, soft, count = self.raw[:-1], self.soft[:-1], self.count[:-1]
        hit = (count > 0) & battle.alive
        absorbed = torch.minimum(battle.shield, raw)
        # Of several strikes at a shield in one tick, as many are stopped by it as their mean damage says.
        each = raw / count.clamp(min=1.0)
        through = (count - torch.floor(battle.shield / each.clamp(min=LEAST_DAMAGE) + EARLY)).clamp(min=0.0)
        armour = self.army.armour[:, None]
        past = torch.maximum(raw - absorbed - armour * through, LEAST_DAMAGE * through)
        wound = torch.where(battle.shield > 0, torch.where(raw > absorbed, past, 0.0), soft)
        battle.shield = torch.where(hit, battle.shield - absorbed, battle.shield)
        health = (battle.health - wound).clamp(min=0.0)
        died = hit & (health <= EARLY)
        battle.health = torch.where(died, 0.0, torch.where(hit, health, battle.health))
        battle.shield = torch.where(died, 0.0, battle.shield)
        battle.unhurt = torch.where(hit, 0.0, battle.unhurt + TICK)
        battle.hurt_by = torch.where(hit, self.by[:-1], battle.hurt_by)
        if self.army.bombs:
            battle.fuse = battle.fuse | (died & self.army.dies_attacking[:, None])
        self.taken, self.died = before - battle.health - battle.shield, died

    def dealt(self, death_value: float) -> Tensor:
        """What every unit has dealt, (U, B): of what its targets lost as much as its strikes were of all.

        Args:
            death_value: what a death counts, shared in the same way.
        """
        worth = self.taken + death_value * self.died
        each = torch.cat([worth / self.raw[:-1].clamp(min=LEAST_DAMAGE), worth.new_zeros(1, worth.shape[1])])
        dealt = torch.zeros_like(worth)
        for shooters, row, force in self._strikes:
            dealt.index_add_(0, shooters, force * each.gather(0, row))
        return dealt


def strike(battle: Battle, army: Army, strikes: Tensor, blows: Blows) -> None:
    """Send missiles, strike at once, along lines and around: what `strikes` (U, B) of this tick do."""
    everybody = torch.arange(len(army.kinds), device=battle.x.device)
    target = torch.where(strikes > 0, battle.target, NOBODY)
    damage = army.damage[everybody[:, None], target.clamp(min=0)]
    if army.launchers:
        _missiles(battle, army, strikes, target, damage, blows)
    single = (army.missile_speed == 0) & (army.line == 0) & ~army.dies_attacking
    blows.add(everybody, torch.where(single[:, None], target, NOBODY), damage, strikes)
    for shooter in army.sweepers.members:
        _line(battle, army, shooter, target[shooter], strikes[shooter], blows)
    if army.bombs:
        _explosions(battle, army, strikes, blows)


def _missiles(
    battle: Battle, army: Army, strikes: Tensor, target: Tensor, damage: Tensor, blows: Blows
) -> None:
    flies = army.launchers.index
    radius = army.radius[:, None].expand_as(battle.x)
    dx, dy = at(battle.x, target)[flies] - battle.x[flies], at(battle.y, target)[flies] - battle.y[flies]
    gap = (dx * dx + dy * dy).sqrt() - radius[flies] - at(radius, target)[flies]
    sent = strikes[flies] > 0
    time = torch.where(sent, gap.clamp(min=0.0) / army.missile_speed[flies, None], battle.missile_time[flies])
    load = torch.where(sent, damage[flies], battle.missile[flies])
    aim = torch.where(sent, target[flies], battle.missile_target[flies])
    time = time - TICK
    lands = (aim != NOBODY) & (time <= EARLY)
    blows.add(flies, torch.where(lands, aim, NOBODY), load, lands.long())
    battle.missile = battle.missile.index_copy(0, flies, load)
    battle.missile_time = battle.missile_time.index_copy(0, flies, time)
    battle.missile_target = battle.missile_target.index_copy(0, flies, torch.where(lands, NOBODY, aim))


def _line(battle: Battle, army: Army, shooter: int, target: Tensor, count: Tensor, blows: Blows) -> None:
    """Strikes at all foes on a line across the target, square to where it was struck from."""
    foes = army.foes[shooter].index
    tx, ty = at(battle.x, target[None])[0], at(battle.y, target[None])[0]
    fx, fy = tx - battle.x[shooter], ty - battle.y[shooter]
    length = (fx * fx + fy * fy).sqrt().clamp(min=EARLY)
    ux, uy = fx / length, fy / length
    dx, dy = battle.x[foes] - tx, battle.y[foes] - ty
    radius = army.radius[foes, None]
    across, along = (dx * uy - dy * ux).abs(), (dx * ux + dy * uy).abs()
    hit = (across <= army.line[shooter] + radius) & (along <= LINE_DEPTH + radius) & battle.alive[foes]
    hit &= (target != NOBODY) & (count > 0)
    damage = army.damage[shooter, foes][:, None].expand_as(dx)
    by = torch.full_like(foes, shooter)
    blows.add(by, torch.where(hit, foes[:, None], NOBODY), damage, count.expand_as(hit))


def _explosions(battle: Battle, army: Army, strikes: Tensor, blows: Blows) -> None:
    """Those that attack by dying, and those that died in the last tick, hurt all foes around them."""
    bombs = army.bombs.index
    bursts = (strikes[bombs] > 0) | battle.fuse[bombs]
    battle.fuse = battle.fuse.index_fill(0, bombs, False)
    for bomb, burst in zip(army.bombs.members, bursts, strict=True):
        foes = army.foes[bomb].index
        dx, dy = battle.x[foes] - battle.x[bomb], battle.y[foes] - battle.y[bomb]
        gap = (dx * dx + dy * dy).sqrt() - army.radius[foes, None]
        hit = burst & (gap <= army.splash[bomb]) & battle.alive[foes]
        damage = army.damage[bomb, foes][:, None].expand_as(dx)
        by = torch.full_like(foes, bomb)
        blows.add(by, torch.where(hit, foes[:, None], NOBODY), damage, hit.long())
    spent = torch.zeros_like(battle.fuse).index_copy(0, bombs, bursts)
    battle.health = torch.where(spent, 0.0, battle.health)
