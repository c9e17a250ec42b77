"""Battles by hand: how many strikes kill whom, how long that takes, and what else the rules say."""

from __future__ import annotations

import pytest
import torch
from duels import ATTACK, Field, in_range

from stmg_envs.combat import timestep as rules
from stmg_envs.combat import units
from stmg_envs.combat.fire import TICK
from stmg_envs.combat.layout import MOVES
from stmg_envs.combat.scenarios import SCENARIOS
from stmg_envs.combat.targeting import Attention

NORTH, SOUTH, EAST, WEST = range(2, 6)

# Attacks until death, and seconds from the first to the last, nothing regenerating.
DUELS = [
    ("marine", "marine", 8, 6.0),
    ("marine", "zealot", 29, 24.1),
    ("marine", "marauder", 25, 20.7),
    ("stalker", "zealot", 17, 23.0),
    ("stalker", "stalker", 12, 15.8),
    ("zealot", "stalker", 11, 12.0),
    ("zealot", "zealot", 11, 12.0),
    ("zealot", "marine", 3, 2.4),
    ("zealot", "hydralisk", 5, 4.8),
    ("hydralisk", "zealot", 14, 10.8),
    ("zergling", "zealot", 35, 23.7),
    ("zealot", "zergling", 3, 2.4),
    ("colossus", "zergling", 1, 0.0),
    ("spine_crawler", "stalker", 6, 8.0),
]


@pytest.mark.parametrize(("attacker", "target", "attacks", "seconds"), DUELS)
def test_duels(
    attacker: str, target: str, attacks: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stmg_envs.combat.recovery.SHIELD_RATE", 0.0)
    monkeypatch.setattr("stmg_envs.combat.recovery.ZERG_RATE", 0.0)
    begun: list[int] = []
    ticks = 0
    field = in_range(attacker, target)
    swing = rules.swing

    def counting(battle: object, *arguments: object) -> torch.Tensor:
        nonlocal ticks
        before = field.battle.cooldown[0].clone()
        strikes: torch.Tensor = swing(battle, *arguments)
        if float(field.battle.cooldown[0]) > float(before) and field.health(1) > 0:
            begun.append(ticks)
        ticks += 1
        return strikes

    monkeypatch.setattr(rules, "swing", counting)
    for _ in range(100):
        if field.health(1) == 0:
            break
        field.step(ATTACK)
    assert len(begun) == attacks
    # To a tick: what lies between two of them is done in the second.
    assert (begun[-1] - begun[0]) * TICK == pytest.approx(seconds, abs=1.01 * TICK + 0.05)


@pytest.mark.parametrize("action", [NORTH, SOUTH, EAST, WEST])
def test_a_move_is_as_far_as_half_a_second(action: int) -> None:
    field = Field([("marine", 16, 16), ("stalker", 20, 20)], [("marine", 30, 30)])
    field.step(action, action)
    dx, dy = MOVES[action - 2]
    assert field.place(0) == pytest.approx((16 + 1.125 * dx, 16 + 1.125 * dy), abs=1e-4)
    assert field.place(1) == pytest.approx((20 + 1.47655 * dx, 20 + 1.47655 * dy), abs=1e-4)


def test_agents_fire_only_when_they_are_told() -> None:
    field = in_range("marine", "marine")
    for _ in range(4):
        field.step()
    assert field.health(1) == 45
    field.step(ATTACK)
    assert field.health(1) == 39


def test_an_attack_walks_into_range_and_no_farther() -> None:
    field = Field([("marine", 10, 16)], [("zealot", 19, 16)])
    for _ in range(6):
        field.step(ATTACK)
    x, _ = field.place(0)
    # Centres are apart by the range and both radii.
    assert 19 - x == pytest.approx(5 + 0.375 + 0.5, abs=1e-3)
    assert field.health(1) < 150


def test_shields_come_back_after_ten_seconds_without_a_hit() -> None:
    field = in_range("marine", "zealot")
    field.step(ATTACK)
    assert field.health(1) == 144
    waited = 0
    while field.health(1) == 144 and waited < 50:
        field.step()
        waited += 1
    # The strike was in the second tick of the first timestep: 160 ticks later there are seven left of the
    # twenty-first, in each of which an eighth of a point comes back.
    assert waited == 20
    assert field.health(1) == pytest.approx(144 + 7 * 2 * TICK, abs=1e-4)
    field.step()
    assert field.health(1) == pytest.approx(145 + 7 * 2 * TICK, abs=1e-4)
    for _ in range(10):
        field.step()
    assert float(field.battle.shield[1]) == 50


def test_armour_takes_from_health_alone_and_never_all() -> None:
    field = in_range("zergling", "spine_crawler")
    field.step(ATTACK)
    # 5 less an armour of 2, and what Zerg get back in the four ticks since.
    assert field.health(1) == pytest.approx(300 - 3 + 0.2734 * TICK * 5, abs=0.08)
    assert units.LEAST_DAMAGE == 0.5


def test_fifty_energy_heal_a_hundred_and_fifty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stmg_envs.combat.recovery.ENERGY_RATE", 0.0)
    field = Field([("medivac", 16, 16), ("marauder", 18, 16), ("marauder", 16, 18)], [("marine", 30, 30)])
    field.battle.health[1], field.battle.health[2] = 1.0, 1.0
    field.step(7)
    # Nine points a second, and a third of a point of energy for each.
    assert field.health(1) == pytest.approx(1 + 9 * 0.5, abs=1e-3)
    assert float(field.battle.energy[0]) == pytest.approx(50 - 4.5 * 0.33, abs=1e-3)
    # Actions of a healer count agents: 6 is itself, 7 and 8 the two marauders.
    for patient in (7, 8):
        for _ in range(40):
            field.step(patient)
    assert field.health(1) == 125
    assert field.health(1) + field.health(2) == pytest.approx(2 + 50 / 0.33, abs=1e-2)


def test_healing_begins_with_five_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stmg_envs.combat.recovery.ENERGY_RATE", 0.0)
    for energy, gained in ((4.9, False), (5.0, True)):
        field = Field([("medivac", 16, 16), ("marauder", 18, 16)], [("marine", 30, 30)])
        field.battle.health[1], field.battle.energy[0] = 1.0, energy
        field.step(7)
        assert (field.health(1) > 1) is gained


def test_banelings_hurt_all_foes_around_and_nobody_else() -> None:
    enemies = [("zealot", 17, 16), ("zealot", 16, 17.5), ("zealot", 20, 16)]
    field = Field([("baneling", 16, 16), ("baneling", 14, 16)], enemies)
    field.step(ATTACK)
    assert field.health(0) == 0
    assert field.health(1) == 30
    # 20, and 15 more at light units, shields first.
    assert [field.health(unit) for unit in (2, 3, 4)] == [115, 115, 150]


def test_a_baneling_that_is_killed_explodes_as_well() -> None:
    field = Field([("marine", 16, 16)], [("baneling", 17.5, 16)], Attention(scan=0.1, leash=0.1, help=0.0))
    field.battle.health[1] = 1.0
    field.step(ATTACK)
    assert field.health(1) == 0
    assert field.health(0) == 45 - 35


def test_a_colossus_strikes_along_a_line() -> None:
    line = [("zergling", 20, 16 + offset) for offset in (-1.0, 0.0, 1.0)]
    field = Field([("colossus", 14, 16)], [*line, ("zergling", 21.5, 16), ("zergling", 20, 18.5)])
    for _ in range(2):
        field.step(ATTACK + 1)
    assert [field.health(unit) for unit in range(1, 4)] == [0, 0, 0]
    assert field.health(4) == 35 and field.health(5) == 35


def test_missiles_take_their_time() -> None:
    field = in_range("stalker", "zealot")
    ticks_to_strike = 3  # of 0.167 s
    flight = (6 - 0.01) / 18.75
    field.step(ATTACK)
    hurt = field.health(1) < 150
    assert hurt == (ticks_to_strike * TICK + flight <= 0.5)
    field.step(ATTACK)
    assert field.health(1) == 140


def test_a_move_breaks_an_attack_off() -> None:
    field = in_range("spine_crawler", "stalker")
    field = Field([("stalker", 10, 16)], [("zealot", 17, 16)])
    field.step(ATTACK)
    assert float(field.battle.swing[0]) >= 0
    field.step(WEST)
    assert field.place(0)[0] < 9
    assert float(field.battle.swing[0]) < 0


def test_enemies_take_the_closest_and_keep_it() -> None:
    field = Field(
        [("marine", 14, 16), ("marine", 13, 17)], [("marine", 18, 16)], Attention(scan=5.0, help=0.0)
    )
    field.step()
    assert int(field.battle.target[2]) == 0
    # The first one leaves, but not its range; the other one comes nearer, and is not taken.
    field.battle.x[1], field.battle.y[1] = 16.0, 16.0
    field.step()
    assert int(field.battle.target[2]) == 0
    fickle = Field([("marine", 14, 16), ("marine", 16, 17)], [("marine", 18, 16)], Attention(sticky=False))
    fickle.step()
    assert int(fickle.battle.target[2]) == 1


def test_enemies_answer_who_hurts_them_and_their_friends() -> None:
    enemies = [("zealot", 18, 16), ("zealot", 18, 18), ("zealot", 18, 24)]
    field = Field([("stalker", 11, 16)], enemies, Attention(scan=1.0, help=4.0))
    for _ in range(3):
        field.step(ATTACK)
    assert [int(field.battle.target[unit]) for unit in (1, 2, 3)] == [0, 0, -1]
    assert field.place(1)[0] < 18 and field.place(2)[0] < 18 and field.place(3)[0] == 18


def test_units_do_not_stand_in_each_other() -> None:
    allies = [("zealot", 16 + 0.01 * k, 16) for k in range(8)]
    field = Field(allies, [("marine", 30, 30)])
    for _ in range(12):
        field.step()
    apart = field.distances()[:8, :8]
    apart = apart[~torch.eye(8, dtype=torch.bool)]
    # Pushing is a relaxation: a tenth of a radius may be left.
    assert apart.min() >= 2 * 0.375 - 0.04


def test_those_that_fly_pass_over_others() -> None:
    field = Field([("medivac", 16, 16), ("marine", 16, 16)], [("marine", 30, 30)])
    field.step()
    assert field.place(0) == (16, 16) and field.place(1) == (16, 16)


def test_walls_are_not_crossed_and_may_be_followed() -> None:
    field = Field([("marine", 15.5, 10.2)], [("marine", 30, 30)], ground="y10-20: x0-31; y21-31: x16-31")
    for _ in range(3):
        field.step(SOUTH)
    assert field.place(0)[1] >= 10
    field = Field([("marine", 15.5, 20.5)], [("marine", 22, 27)], ground="y10-20: x0-31; y21-31: x16-31")
    for _ in range(8):
        field.step(ATTACK)
    x, y = field.place(0)
    assert x >= 16 and y > 21


def test_mirrored_armies_fight_mirrored_battles() -> None:
    kinds = [("stalker", 0.0, -1.0), ("stalker", 0.0, 1.0), ("zealot", 1.5, 0.0)]
    allies = [(kind, 12 + x, 16 + y) for kind, x, y in kinds]
    enemies = [(kind, 20 - x, 16 - y) for kind, x, y in kinds]
    field = Field(allies, enemies, Attention(scan=0.0, leash=0.0, help=0.0))
    for _ in range(20):
        # Both sides are told the same: the enemies' targets are set by hand.
        field.step(ATTACK, ATTACK + 1, ATTACK + 2)
    mirrored = Field(
        [(kind, 32 - x, 32 - y) for kind, x, y in enemies][::1],
        [(kind, 32 - x, 32 - y) for kind, x, y in allies],
        Attention(scan=0.0, leash=0.0, help=0.0),
    )
    for _ in range(20):
        mirrored.step(ATTACK, ATTACK + 1, ATTACK + 2)
    for unit in range(6):
        assert mirrored.place(unit) == pytest.approx(field.place(unit), abs=1e-3)
        assert mirrored.health(unit) == pytest.approx(field.health(unit), abs=1e-3)


def test_what_is_dealt_adds_up_to_what_is_lost() -> None:
    field = Field(
        [("marine", 13, 15), ("marine", 13, 16), ("marauder", 13, 17)],
        [("marine", 17, 16), ("zealot", 17, 17)],
    )
    before = field.health(3) + field.health(4)
    for _ in range(8):
        field.step(ATTACK, ATTACK, ATTACK + 1)
    lost = before - field.health(3) - field.health(4)
    deaths = sum(field.health(unit) == 0 for unit in (3, 4))
    assert deaths == 1
    assert float(field.dealt[:3].sum()) == pytest.approx(lost + 10 * deaths, rel=1e-5)
    assert float(field.dealt[3:].sum()) == 0


def test_every_group_begins_on_free_ground_without_overlap() -> None:
    from stmg_envs.combat.army import muster
    from stmg_envs.combat.ground import walkable
    from stmg_envs.combat.spawning import places

    for scenario in SCENARIOS.values():
        army, at = muster(scenario), places(scenario)
        cells = walkable(scenario.ground)
        assert cells[at[:, 0].long(), at[:, 1].long()].all()
        distance = torch.cdist(at, at) + 100 * torch.eye(len(at))
        layer = army.flying[:, None] == army.flying
        apart = army.separation[:, None] + army.separation
        same_side = (torch.arange(len(at)) < army.n)[:, None] == (torch.arange(len(at)) < army.n)
        assert (distance >= apart - 1e-4)[layer & same_side].all()
