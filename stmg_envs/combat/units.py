"""What kinds of units there are: one row each.

Numbers are those of StarCraft II's base data Wings of Liberty, on which SMAC's maps depend (equal in its
versions 4.1.2 to 5.0.14), and not those of the ladder. Seconds are "normal" ones of 16 game loops; lengths
are cells of the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Attribute = Literal["light", "armored", "biological", "mechanical"]
Race = Literal["T", "P", "Z"]

LOOPS_PER_SECOND = 16
"""Game loops of a normal second."""


@dataclass(frozen=True)
class UnitType:
    """A kind of unit.

    Attributes:
        race: Terran, Protoss or Zerg; only Protoss have shields.
        health: hit points.
        shield: hit points that are hit first and come back.
        armour: taken off every strike at health.
        attributes: what bonus damage asks for.
        damage: of a strike; for a medivac 0.
        bonus: more damage, by attribute of who is struck.
        strikes: in one attack.
        strike_delay: seconds between two strikes of an attack.
        period: seconds from one attack to the next.
        damage_point: seconds from the beginning of an attack to its first strike.
        backswing: seconds after it in which the unit stands, unless it is told to move.
        range: from edge to edge.
        speed: cells per second.
        radius: from which ranges are measured.
        separation: radius of what no other unit may enter.
        missile_speed: cells per second; 0 strikes at once.
        flying: whether it flies, over walls and over others.
        hits_air: whether it can attack those.
        splash: radius around the target in which every foe is struck as well; 0 is none.
        line: half the length of a line across the target on which every foe is struck as well; 0 is none.
        heals: health per second that it gives to another one; 0 is none.
        dies_attacking: whether its attack is its death, and its death an attack.
        weapon_loops: by what SMAC divides the cooldown, game loops (energy, of those that heal).
    """

    race: Race
    health: float
    shield: float = 0.0
    armour: float = 0.0
    attributes: tuple[Attribute, ...] = ()
    damage: float = 0.0
    bonus: Mapping[Attribute, float] = field(default_factory=dict)
    strikes: int = 1
    strike_delay: float = 0.0
    period: float = 1.0
    damage_point: float = 0.0
    backswing: float = 0.5
    range: float = 0.1
    speed: float = 2.25
    radius: float = 0.375
    separation: float = 0.375
    missile_speed: float = 0.0
    flying: bool = False
    hits_air: bool = True
    splash: float = 0.0
    line: float = 0.0
    heals: float = 0.0
    dies_attacking: bool = False
    weapon_loops: float = 1.0


UNITS: Mapping[str, UnitType] = {
    "marine": UnitType(
        "T",
        health=45,
        attributes=("light", "biological"),
        damage=6,
        period=0.8608,
        damage_point=0.05,
        backswing=0.75,
        range=5,
        weapon_loops=15,
    ),
    "marauder": UnitType(
        "T",
        health=125,
        armour=1,
        attributes=("armored", "biological"),
        damage=10,
        bonus={"armored": 10},
        period=1.5,
        backswing=0,
        range=6,
        radius=0.5625,
        separation=0.5,
        missile_speed=20,
        hits_air=False,
        weapon_loops=25,
    ),
    "medivac": UnitType(
        "T",
        health=150,
        armour=1,
        attributes=("armored", "mechanical"),
        range=4,
        speed=2.75,
        radius=0.75,
        separation=0.75,
        flying=True,
        hits_air=False,
        heals=9,
        weapon_loops=200,
    ),
    "stalker": UnitType(
        "P",
        health=80,
        shield=80,
        armour=1,
        attributes=("armored", "mechanical"),
        damage=10,
        bonus={"armored": 4},
        period=1.44,
        damage_point=0.167,
        range=6,
        speed=2.9531,
        radius=0.625,
        separation=0.625,
        missile_speed=18.75,
        weapon_loops=35,
    ),
    "zealot": UnitType(
        "P",
        health=100,
        shield=50,
        armour=1,
        attributes=("light", "biological"),
        damage=8,
        strikes=2,
        strike_delay=0.28,
        period=1.2,
        radius=0.5,
        hits_air=False,
        weapon_loops=22,
    ),
    "colossus": UnitType(
        "P",
        health=200,
        shield=150,
        armour=1,
        attributes=("armored", "mechanical"),
        damage=20,
        strikes=2,
        strike_delay=0.0,
        period=2.2,
        damage_point=0.083 + 0.5,
        range=6,
        radius=1.0,
        separation=0.75,
        hits_air=False,
        line=1.25,
        weapon_loops=24,
    ),
    "zergling": UnitType(
        "Z",
        health=35,
        attributes=("light", "biological"),
        damage=5,
        period=0.696,
        damage_point=0.167,
        speed=2.9531,
        hits_air=False,
        weapon_loops=11,
    ),
    "hydralisk": UnitType(
        "Z",
        health=80,
        attributes=("light", "biological"),
        damage=12,
        period=0.83,
        damage_point=0.208,
        range=5,
        radius=0.625,
        separation=0.5,
        missile_speed=40,
        weapon_loops=10,
    ),
    "baneling": UnitType(
        "Z",
        health=30,
        attributes=("biological",),
        damage=20,
        bonus={"light": 15},
        range=0.25,
        speed=2.5,
        hits_air=False,
        splash=2.2,
        dies_attacking=True,
        weapon_loops=1,
    ),
    "spine_crawler": UnitType(
        "Z",
        health=300,
        armour=2,
        attributes=("armored", "biological"),
        damage=25,
        bonus={"armored": 5},
        period=1.6,
        damage_point=0.333,
        range=7,
        speed=0.0,
        radius=0.875,
        separation=0.875,
        hits_air=False,
        weapon_loops=1,
    ),
}
"""Every kind by name. A colossus's strikes come half a second late, which its damage point has."""

SHIELD_DELAY, SHIELD_RATE = 10.0, 2.0
"""Seconds without a hit after which shields come back, and how much a second."""
ZERG_RATE = 0.2734
"""Health that Zerg get back a second."""
LEAST_DAMAGE = 0.5
"""Of a strike, whatever the armour."""
ENERGY, MOST_ENERGY, ENERGY_RATE = 50.0, 200.0, 0.5625
"""Of a medivac: at first, at most, and what it gains a second."""
HEAL_COST, LEAST_ENERGY = 0.33, 5.0
"""Energy for a point of health, and what healing must find to begin."""
