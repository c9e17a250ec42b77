"""What is computed in two ways gives the same bits: of what is near or of all, in a loop or at once."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stmg_envs.merge import collisions
from stmg_envs.merge.observations import nearest
from stmg_envs.merge.profiles import PROFILES
from stmg_envs.merge.spawning import Crowd, spawn
from stmg_envs.merge.traffic import give_way
from stmg_envs.merge.vehicles import Motion, Vehicles
from stmg_envs.protocol import Streams

AGENTS, ROADS = 3, 6


def crowded(seed: int, spread: float) -> Vehicles:
    """Vehicles in a heap before the obstacle, some of them absent."""
    streams = Streams.from_seeds(range(seed, seed + ROADS))
    vehicles = spawn(Crowd((1, AGENTS), (2, 4)), streams)
    shape = vehicles.x.shape
    noise = streams.uniform(6, shape[0], dtype=torch.float64).permute(1, 2, 0) - 0.5
    speed = 20 + 30 * noise[3]
    place = torch.stack([420 + spread * noise[0], 2 + 10 * noise[1]])
    vehicles.x[:], vehicles.y[:] = torch.where(vehicles.present, place, torch.stack([vehicles.x, vehicles.y]))
    vehicles.speed[:] = torch.where(vehicles.present, speed, 0.0)
    # Some stand exactly in line.
    heading = torch.where(noise[4] > 0.2, 0.0, 6 * noise[2])
    crashed = vehicles.crashed | (noise[5] > 0.3)
    numbers = vehicles.tensors() | {"heading": heading, "crashed": crashed}
    moved = Vehicles(**numbers)
    lane = Motion.of(moved).closest()
    return Vehicles(**numbers | {"lane": lane, "target": lane})


@pytest.mark.parametrize("profile", PROFILES)
@given(seed=st.integers(0, 2**31), spread=st.sampled_from([10.0, 40.0, 400.0]))
def test_collisions_of_what_is_near_and_of_all(profile: str, seed: int, spread: float) -> None:
    vehicles = crowded(seed, spread)
    after = []
    for look in (collisions.collide_near, collisions.collide_all):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(collisions, "collide_near", look)
            motion = Motion.of(vehicles)
            met = collisions.collide(vehicles, motion, PROFILES[profile])
            assert torch.equal(motion.pose[3, :-1], met.speed)
            after.append(met.tensors())
    for name, values in after[0].items():
        assert torch.equal(values, after[1][name]), name
        assert torch.equal(values.double().signbit(), after[1][name].double().signbit()), name


@given(seed=st.integers(0, 2**31))
def test_drivers_give_way_one_after_another(seed: int) -> None:
    """Beside a loop in which each driver sees what those before it have chosen in the end."""
    vehicles = crowded(seed, 40.0)
    vehicle = torch.arange(vehicles.count)
    later = (vehicle >= vehicle[AGENTS:, None])[..., None]
    random = Streams.from_seeds([seed]).uniform(3, vehicles.count, ROADS)[0]
    before, chosen = (1 + 2 * random[:2]).long()
    lane = (1 + 2 * random[2]).long()
    ahead = vehicles.x - vehicles.x[AGENTS:, None]
    desired = torch.full_like(ahead, 20.0)
    for contested in (torch.zeros_like(vehicles.crashed[AGENTS:]), ~vehicles.crashed[AGENTS:]):
        expected, seen = chosen.clone(), before.clone()
        seen[:AGENTS] = chosen[:AGENTS]
        for row, driver in enumerate(range(AGENTS, vehicles.count)):
            close = (ahead[row] > 0) & (ahead[row] < 20) & (lane != chosen[driver])
            yields = (close & (seen == chosen[driver])).any(dim=0) & contested[row]
            expected[driver] = torch.where(yields, lane[driver], chosen[driver])
            seen[driver] = expected[driver]
        given_way = chosen.clone()
        give_way(later, lane, before, given_way, contested, ahead, desired)
        assert torch.equal(given_way, expected)


@given(seed=st.integers(0, 2**31), count=st.integers(1, 5))
def test_nearest_is_a_stable_sort(seed: int, count: int) -> None:
    distance = Streams.from_seeds([seed]).uniform(2, 5, 3, dtype=torch.float64)[0]
    distance = (distance * 4).floor()  # many ties
    distance[distance == 0] = 1e300
    values, order = distance.sort(dim=1, stable=True)
    found, whose = nearest(distance.clone(), count)
    assert torch.equal(found, values[:, :count]) and torch.equal(whose, order[:, :count])
    assert not math.isinf(float(found.max()))
