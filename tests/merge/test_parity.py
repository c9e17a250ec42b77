"""The batched simulator against highway-env itself: whole episodes, decision by decision.

Two things depend on the last digit of a number, and there the two part. Such episodes are compared up to
there, are counted, and must stay few.

* Contacts: two sides of vehicles that are all but parallel are equally deep in each other, and either gives
  the direction of the push. What follows differs by micrometres.
* Rolling back: a human driver who stops before the obstacle begins to roll back, and the lane controller
  divides by the speed. Standing still is unstable there: any rounding grows a million times in a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from careful import cautious
from torch import Tensor

from stmg_envs.merge.game import OnRampMerge, unpack
from stmg_envs.merge.highway import HighwayEnvGame
from stmg_envs.merge.vehicles import Vehicles
from stmg_envs.protocol import Episodes

SEEDS = 68
CLOSE, TIE = 1e-9, 1e-5
"""Metres, radians and metres per second: how far the two may be apart always, and after a tie."""

STANDING = 0.5
"""Metres per second."""

NUMBERS = ("x", "y", "heading", "speed", "target_speed", "push_x", "push_y")
FLAGS = ("lane", "target", "crashed", "present")


@dataclass
class Count:
    """How many episodes ended, crashed, and parted for which reason, and the largest difference before."""

    ended: int = 0
    crashed: int = 0
    ties: int = 0
    standing: int = 0
    farthest: float = 0.0
    decisions: int = 0
    parted: set[int] = field(default_factory=set)


def joined(games: list[Episodes]) -> dict[str, Tensor]:
    return {name: torch.cat([game.state[name] for game in games]) for name in games[0].state}


def distance(one: Vehicles, other: Vehicles) -> Tensor:
    """The largest difference of any number of a present vehicle, (B,)."""
    there = other.present.double()
    rows = [((getattr(one, name) - getattr(other, name)).abs() * there).amax(dim=0) for name in NUMBERS]
    return torch.stack(rows).amax(dim=0)


def compare(density: int, seeds: range) -> Count:
    """Play episodes on both backends: even slots at random, odd ones by a script."""
    count, batch = Count(), len(seeds)
    ours, engine = OnRampMerge(density), HighwayEnvGame(traffic_density=density)
    native, singles = Episodes(ours, batch), [Episodes(engine, 1) for _ in seeds]
    native.reset(list(seeds))
    for single, seed in zip(singles, seeds, strict=True):
        single.reset(seed)
    generator = torch.Generator().manual_seed(density)
    running = torch.ones(batch, dtype=torch.bool)
    stood = torch.zeros(batch, dtype=torch.bool)
    while bool(running.any()):
        actions = torch.randint(5, (batch, ours.n), generator=generator)
        actions[1::2] = cautious(native.observe()["observation"][1::2])
        got = native.step(actions, running)
        slots = running.nonzero().flatten().tolist()
        count.decisions += len(slots)
        wanted = [singles[slot].step(actions[slot : slot + 1]) for slot in slots]
        state = joined([singles[slot] for slot in slots])
        here = {name: value[slots] for name, value in native.state.items()}
        one, other = unpack(here), unpack(state)
        moving = (other.speed.abs() >= STANDING) | ~other.present
        stood[slots] |= ~moving.all(dim=0)
        apart = distance(one, other)
        contact = (other.pushed | other.crashed) & other.present
        for row, slot in enumerate(slots):
            if slot in count.parted:
                continue
            there = other.present[:, row]
            if apart[row] > CLOSE:
                count.parted.add(slot)
                contact = ((other.pushed | other.crashed)[:, row] & there).any()
                assert stood[slot] or (contact and apart[row] < TIE), (density, seeds[slot], apart[row])
                count.standing += int(stood[slot])
                count.ties += int(~stood[slot])
                continue
            count.farthest = max(count.farthest, float(apart[row]))
            for name in FLAGS:
                ours_now, theirs_now = (getattr(table, name)[:, row][there] for table in (one, other))
                assert torch.equal(ours_now, theirs_now), (density, seeds[slot], name)
            assert torch.equal(here["neighbors"][row], state["neighbors"][row])
            assert torch.allclose(here["observation"][row], state["observation"][row], rtol=0, atol=1e-6)
            assert torch.allclose(got.rewards[slot], wanted[row].rewards[0], rtol=1e-6, atol=1e-6)
            assert bool(got.terminated[slot]) == bool(wanted[row].terminated[0])
            for name, value in got.metrics.items():
                assert torch.allclose(value[slot], wanted[row].metrics[name][0], rtol=1e-6)
        count.ended += int(got.done.sum())
        count.crashed += int(got.terminated.sum())
        running &= ~got.done
    return count


@pytest.mark.parametrize("density", [1, 2, 3])
def test_every_decision_is_that_of_highway_env(density: int) -> None:
    count = compare(density, range(1000 * density, 1000 * density + SEEDS))
    print(f"density {density}: {count}")
    assert count.ended == SEEDS
    # Both ends of an episode are among them.
    assert 0 < count.crashed < SEEDS
    assert count.ties + count.standing <= 0.15 * SEEDS
    assert count.ties <= 0.05 * SEEDS
