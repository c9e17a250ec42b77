"""SMAC's maps as data: who meets whom where, on what ground, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stmg_envs.combat.units import UNITS, Race

SIZE = 32
"""Cells along each side of every map."""

STRIP = "y8-23: x0-31"
OPEN = "y0-31: x0-31"
"""Ground on which one may walk, rows of cells with inclusive ranges."""

Group = tuple[str, int, tuple[float, float]]
"""Kind of unit, how many, and the point at which they begin."""

WEST, EAST = (9.0, 16.0), (23.0, 16.0)
"""Where the allies and the enemies of most maps begin."""


@dataclass(frozen=True)
class Scenario:
    """A map.

    Attributes:
        allies: groups of the agents, in SMAC's order of kinds.
        enemies: groups of the other side, likewise.
        limit: timesteps of an episode at most.
        ground: rows of cells on which one may walk.
        goal: to where the enemies walk, fighting, from the start.
        hunted: whether they are ordered onto the allies themselves, wherever those are.
        kinds: whose type bits stand in the allies' layout, in order; none where all are of one kind.
        enemy_kinds: those of the enemies', whose order is another one on some maps.
    """

    allies: tuple[Group, ...]
    enemies: tuple[Group, ...]
    limit: int
    ground: str = STRIP
    goal: tuple[float, float] = WEST
    hunted: bool = False
    kinds: tuple[str, ...] = ()
    enemy_kinds: tuple[str, ...] = ()

    @property
    def ally_types(self) -> tuple[str, ...]:
        """Kind of every agent, in order."""
        return _members(self.allies)

    @property
    def enemy_types(self) -> tuple[str, ...]:
        """Kind of every enemy, in order."""
        return _members(self.enemies)

    @property
    def ally_race(self) -> Race:
        return UNITS[self.allies[0][0]].race

    @property
    def enemy_race(self) -> Race:
        return UNITS[self.enemies[0][0]].race


def _members(groups: tuple[Group, ...]) -> tuple[str, ...]:
    return tuple(kind for kind, count, _ in groups for _ in range(count))


def _meeting(
    allies: Mapping[str, int],
    enemies: Mapping[str, int],
    limit: int,
    ground: str = STRIP,
    kinds: tuple[str, ...] = (),
    enemy_kinds: tuple[str, ...] = (),
) -> Scenario:
    """Allies in the west whom the enemies attack from the east."""
    return Scenario(
        tuple((kind, count, WEST) for kind, count in allies.items()),
        tuple((kind, count, EAST) for kind, count in enemies.items()),
        limit,
        ground,
        kinds=kinds,
        enemy_kinds=enemy_kinds or kinds,
    )


TERRANS = ("marauder", "marine", "medivac")
PROTOSS = ("stalker", "zealot")
COLOSSI = ("colossus", "stalker", "zealot")
ZERG = ("baneling", "zergling")
"""Kinds in the order of their numbers in StarCraft, which is that of type bits."""

SCENARIOS: Mapping[str, Scenario] = {
    "3m": _meeting({"marine": 3}, {"marine": 3}, 60),
    "8m": _meeting({"marine": 8}, {"marine": 8}, 120),
    "25m": _meeting({"marine": 25}, {"marine": 25}, 150),
    "5m_vs_6m": _meeting({"marine": 5}, {"marine": 6}, 70),
    "8m_vs_9m": _meeting({"marine": 8}, {"marine": 9}, 120),
    "10m_vs_11m": _meeting({"marine": 10}, {"marine": 11}, 150),
    "27m_vs_30m": _meeting({"marine": 27}, {"marine": 30}, 180),
    "MMM": _meeting(
        {"marauder": 2, "marine": 7, "medivac": 1},
        {"marauder": 2, "marine": 7, "medivac": 1},
        150,
        kinds=TERRANS,
    ),
    "MMM2": _meeting(
        {"marauder": 2, "marine": 7, "medivac": 1},
        {"marauder": 3, "marine": 8, "medivac": 1},
        180,
        kinds=TERRANS,
    ),
    "2s3z": _meeting(
        {"stalker": 2, "zealot": 3},
        {"stalker": 2, "zealot": 3},
        120,
        kinds=PROTOSS,
        enemy_kinds=PROTOSS[::-1],
    ),
    "3s5z": _meeting(
        {"stalker": 3, "zealot": 5},
        {"stalker": 3, "zealot": 5},
        150,
        kinds=PROTOSS,
        enemy_kinds=PROTOSS[::-1],
    ),
    "3s5z_vs_3s6z": _meeting(
        {"stalker": 3, "zealot": 5},
        {"stalker": 3, "zealot": 6},
        170,
        kinds=PROTOSS,
        enemy_kinds=PROTOSS[::-1],
    ),
    "1c3s5z": _meeting(
        {"colossus": 1, "stalker": 3, "zealot": 5},
        {"colossus": 1, "stalker": 3, "zealot": 5},
        180,
        kinds=COLOSSI,
    ),
    "3s_vs_3z": _meeting({"stalker": 3}, {"zealot": 3}, 150, OPEN),
    "3s_vs_4z": _meeting({"stalker": 3}, {"zealot": 4}, 200, OPEN),
    "3s_vs_5z": _meeting({"stalker": 3}, {"zealot": 5}, 250, OPEN),
    "2m_vs_1z": Scenario(
        (("marine", 1, (13.0, 12.0)), ("marine", 1, (19.0, 12.0))),
        (("zealot", 1, (16.0, 19.0)),),
        150,
        OPEN,
        goal=(16.0, 12.0),
    ),
    "2s_vs_1sc": Scenario(
        (("stalker", 1, (11.12, 10.34)), ("stalker", 1, (16.98, 10.37))),
        (("spine_crawler", 1, (13.92, 20.04)),),
        300,
        "y0-5: x0-31; y6-7: x0-5 x22-31; y8-19: x0-5 x8-19 x22-31; y20-21: x0-5 x10-17 x22-31; "
        "y22-23: x0-7 x12-15 x20-31; y24-25: x0-9 x18-31; y26-31: x0-31",
        goal=(13.92, 20.04),
    ),
    "corridor": Scenario(
        (("zealot", 6, (19.04, 19.12)),),
        (("zergling", 24, (27.91, 28.24)),),
        400,
        "y2-11: x2-11; y12-13: x12-13; y14-15: x14-25; y16-17: x14-27; y18-21: x12-29; y22-23: x14-29; "
        "y24-25: x16-29; y26-27: x18-29; y28-29: x20-29",
        goal=(4.47, 4.33),
    ),
    "6h_vs_8z": Scenario(
        (("hydralisk", 6, (14.60, 9.49)),),
        (("zealot", 8, (14.41, 16.76)),),
        150,
        "y0-5: x0-31; y6-7: x0-7 x22-31; y8-9: x0-5 x10-19 x24-31; y10-17: x0-5 x8-21 x24-31; "
        "y18-19: x0-5 x10-19 x24-31; y20-21: x0-7 x22-31; y22-31: x0-31",
        goal=(14.60, 9.49),
    ),
    "2c_vs_64zg": Scenario(
        (("colossus", 2, (16.0, 16.0)),),
        (("zergling", 64, (16.0, 9.0)),),
        400,
        "y6-7: x4-27; y8-9: x2-29; y10-11: x0-31; y12-13: x0-3 x28-31; y14-15: x0-31; y16-17: x2-29; "
        "y18-19: x8-23",
        goal=(16.0, 16.0),
        hunted=True,
    ),
    "bane_vs_bane": Scenario(
        (("baneling", 4, (16.0, 8.0)), ("zergling", 20, (16.0, 11.0))),
        (("baneling", 4, (16.0, 24.0)), ("zergling", 20, (16.0, 21.0))),
        200,
        "y6-7: x10-21; y8-9: x8-23; y10-21: x6-25; y22-23: x8-23; y24-25: x10-21",
        goal=(16.0, 8.0),
        kinds=ZERG,
        enemy_kinds=ZERG,
    ),
    "so_many_baneling": Scenario(
        (("zealot", 7, (11.47, 12.02)),),
        (("baneling", 32, (27.91, 28.24)),),
        100,
        "y2-3: x2-7; y4-7: x2-11; y8-11: x4-15; y12-15: x8-19; y16-17: x10-19; y18-21: x14-25; "
        "y22-23: x16-29; y24-27: x20-29; y28-29: x22-29",
        goal=(4.47, 4.33),
    ),
}
"""Every map by name (SMAC's map files, decoded: points, orders and the ground)."""
