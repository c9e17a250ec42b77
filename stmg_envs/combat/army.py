"""The units of a map as tables of constants, allies first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from stmg_envs.combat.scenarios import Scenario
from stmg_envs.combat.units import UNITS, UnitType


@dataclass(frozen=True)
class Group:
    """Units that have something in common, known before a battle so that no tick asks a device for them.

    Attributes:
        members: their indices.
        index: the same, int64 (V,).
    """

    members: tuple[int, ...]
    index: Tensor

    def __bool__(self) -> bool:
        return bool(self.members)

    def to(self, device: torch.device) -> Group:
        """The same on a device."""
        return Group(self.members, self.index.to(device))


@dataclass(frozen=True)
class Army:
    """Constants of n allies and m enemies, U = n + m.

    Attributes:
        kinds: kind of every unit, (U,).
        n: allies.
        health: at most, float32 (U,).
        shield: at most, (U,).
        weapon: by what SMAC divides the cooldown or the energy of each, (U,).
        radius: (U,).
        separation: (U,).
        speed: cells per second, (U,).
        range: from edge to edge, (U,).
        period: seconds from attack to attack, (U,).
        damage_point: seconds before the first strike, (U,).
        backswing: seconds after it, (U,).
        strikes: of an attack, int64 (U,).
        strike_delay: seconds between two, (U,).
        missile_speed: cells per second, 0 of those without, (U,).
        splash: radius, (U,).
        line: half length, (U,).
        heals: health per second, (U,).
        flying: bool (U,).
        dies_attacking: bool (U,).
        zerg: bool (U,).
        damage: of a strike of u at v, before armour, (U, U).
        armour: (U,).
        hostile: whether u may attack v, or heal it, bool (U, U).
        healers: those that heal.
        launchers: those that send missiles.
        sweepers: those that strike along a line.
        bombs: those that attack by dying.
        foes: whom each of `sweepers` and `bombs` may hurt.
    """

    kinds: tuple[str, ...]
    n: int
    health: Tensor
    shield: Tensor
    weapon: Tensor
    radius: Tensor
    separation: Tensor
    speed: Tensor
    range: Tensor
    period: Tensor
    damage_point: Tensor
    backswing: Tensor
    strikes: Tensor
    strike_delay: Tensor
    missile_speed: Tensor
    splash: Tensor
    line: Tensor
    heals: Tensor
    flying: Tensor
    dies_attacking: Tensor
    zerg: Tensor
    damage: Tensor
    armour: Tensor
    hostile: Tensor
    healers: Group
    launchers: Group
    sweepers: Group
    bombs: Group
    foes: Mapping[int, Group]

    @property
    def m(self) -> int:
        """Enemies."""
        return len(self.kinds) - self.n

    @property
    def has_zerg(self) -> bool:
        """Whether there are any."""
        return any(UNITS[kind].race == "Z" for kind in self.kinds)

    def to(self, device: torch.device) -> Army:
        """The same on a device."""
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: x.to(device) for name, x in tables.items() if isinstance(x, Tensor | Group)}
        foes = {unit: group.to(device) for unit, group in self.foes.items()}
        return Army(**tables | moved | {"foes": foes})


def muster(scenario: Scenario) -> Army:
    """The units of a map."""
    kinds = (*scenario.ally_types, *scenario.enemy_types)
    types = [UNITS[kind] for kind in kinds]
    n = len(scenario.ally_types)

    def column(value: Callable[[UnitType], float]) -> Tensor:
        return torch.tensor([float(value(unit)) for unit in types])

    side = torch.arange(len(kinds)) < n
    heals, flying = column(lambda unit: unit.heals), column(lambda unit: unit.flying).bool()
    hits_air = column(lambda unit: unit.hits_air).bool()

    def group(has: Callable[[UnitType], float]) -> Group:
        return _group(unit for unit, kind in enumerate(types) if has(kind))

    other, healer = side[:, None] != side, heals[:, None] > 0
    not_itself = ~torch.eye(len(kinds), dtype=torch.bool)
    # Healers turn to their own side, to all but healers; others to the other side, as high as they reach.
    hostile = torch.where(healer, ~other & (heals == 0) & not_itself, other & (hits_air[:, None] | ~flying))
    sweepers, bombs = group(lambda unit: unit.line), group(lambda unit: unit.dies_attacking)
    special = (*sweepers.members, *bombs.members)
    return Army(
        kinds=kinds,
        n=n,
        health=column(lambda unit: unit.health),
        shield=column(lambda unit: unit.shield),
        weapon=column(lambda unit: unit.weapon_loops),
        radius=column(lambda unit: unit.radius),
        separation=column(lambda unit: unit.separation),
        speed=column(lambda unit: unit.speed),
        range=column(lambda unit: unit.range),
        period=column(lambda unit: unit.period),
        damage_point=column(lambda unit: unit.damage_point),
        backswing=column(lambda unit: unit.backswing),
        strikes=column(lambda unit: unit.strikes).long(),
        strike_delay=column(lambda unit: unit.strike_delay),
        missile_speed=column(lambda unit: unit.missile_speed),
        splash=column(lambda unit: unit.splash),
        line=column(lambda unit: unit.line),
        heals=heals,
        flying=flying,
        dies_attacking=column(lambda unit: unit.dies_attacking).bool(),
        zerg=column(lambda unit: unit.race == "Z").bool(),
        damage=torch.tensor([[float(_damage(shooter, target)) for target in types] for shooter in types]),
        armour=column(lambda unit: unit.armour),
        hostile=hostile,
        healers=group(lambda unit: unit.heals),
        launchers=group(lambda unit: unit.missile_speed),
        sweepers=sweepers,
        bombs=bombs,
        foes={unit: _group(hostile[unit].nonzero().flatten().tolist()) for unit in special},
    )


def _group(members: Iterable[int]) -> Group:
    found = tuple(members)
    return Group(found, torch.tensor(found, dtype=torch.int64))


def _damage(shooter: UnitType, target: UnitType) -> float:
    """Of a strike, before armour."""
    return shooter.damage + sum(
        extra for attribute, extra in shooter.bonus.items() if attribute in target.attributes
    )


def type_bits(kinds: Sequence[str], order: Sequence[str]) -> Tensor:
    """One-hot kinds (units, len(order)); of no width where there is no order."""
    return torch.tensor([[float(kind == name) for name in order] for kind in kinds]).view(len(kinds), -1)
