"""Layouts, masks, rewards and ends are those of SMAC's own class, on 304 snapshots of made-up units.

`smac_layout.json.gz` has what that class said of them, without the game: for 19 maps four cases each, two
with the default flags and two with all others, and four snapshots of each.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from stmg_envs.combat.army import muster
from stmg_envs.combat.layout import Flags, Layout, Sighting
from stmg_envs.combat.rewards import RewardScheme, battle_rewards, end_codes, losses
from stmg_envs.combat.scenarios import SCENARIOS, SIZE

with gzip.open(Path(__file__).with_name("smac_layout.json.gz")) as file:
    SNAPSHOTS: dict[str, Any] = json.load(file)
CASES = [(name, number) for name, entry in SNAPSHOTS.items() for number in range(len(entry["cases"]))]


def layout_of(name: str, case: dict[str, Any]) -> Layout:
    known = {field.name for field in fields(Flags)}
    flags = Flags(**{flag: value for flag, value in case["flags"].items() if flag in known})
    cells = torch.tensor([[cell == "1" for cell in column] for column in case["pathing"]])
    height = torch.tensor(case["terrain_height"] or torch.zeros(SIZE, SIZE).tolist())
    scenario = SCENARIOS[name]
    return Layout(scenario, muster(scenario), flags, cells, height)


def sightings(name: str, case: dict[str, Any]) -> Sighting:
    """All snapshots of a case as one batch."""
    units = torch.tensor([step["allies"] + step["enemies"] for step in case["steps"]])
    army = muster(SCENARIOS[name])
    agents = units[:, : army.n]
    charge = torch.where(army.heals[: army.n] > 0, agents[..., 4], agents[..., 5])
    x, y, health, shield = units[..., :4].unbind(-1)
    actions = torch.tensor(case["last_action"]).expand(len(units), -1)
    elapsed = torch.tensor([step["t"] for step in case["steps"]])
    return Sighting(x, y, health, shield, charge, actions, elapsed)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_observations_states_and_masks(name: str, number: int) -> None:
    case = SNAPSHOTS[name]["cases"][number]
    layout, seen = layout_of(name, case), sightings(name, case)
    mask = layout.mask(seen)
    observations, states = layout.observe(seen, mask), layout.state(seen)
    for found, key in ((mask.float(), "avail"), (observations, "obs"), (states, "state")):
        expected = torch.tensor([step[key] for step in case["steps"]], dtype=torch.float32)
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= 1e-5, key
    assert layout.obs_size == observations.shape[-1] and layout.state_size == states.shape[-1]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_rewards_and_ends(name: str, number: int) -> None:
    case, army = SNAPSHOTS[name]["cases"][number], muster(SCENARIOS[name])
    scheme = RewardScheme(only_positive=case["flags"].get("reward_only_positive", True))
    assert scheme.most(army) == pytest.approx(case["max_reward"], abs=1e-4)
    assert scheme.scale_rate == case["reward_scale_rate"]
    seen = sightings(name, case)
    total = torch.where(seen.health > 0, seen.health + seen.shield, 0.0)
    over, won, lost = end_codes(seen.health, army)
    for index, step in enumerate(case["steps"][1:], start=1):
        blows = losses(total[index - 1 : index], total[index : index + 1])
        reward = battle_rewards(blows, army.n, scheme)
        assert float(reward) == pytest.approx(step["reward_battle"], abs=1e-3)
        code = int(won[index]) - int(lost[index]) if over[index] else None
        assert code == step["end_code"]


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_units_stand_in_smacs_order(name: str) -> None:
    scenario = SCENARIOS[name]
    for case in SNAPSHOTS[name]["cases"]:
        assert scenario.ally_types == tuple(case["ally_types"])
        assert scenario.enemy_types == tuple(case["enemy_types"])
    assert scenario.limit == SNAPSHOTS[name]["limit"]


def test_sizes_of_every_map() -> None:
    """The table of SMAC's sizes: observation, state, actions, agents, enemies, limit."""
    known = {
        "25m": (250, 950, 31, 25, 25, 150),
        "3s_vs_3z": (36, 54, 9, 3, 3, 150),
        "3s_vs_4z": (42, 61, 10, 3, 4, 200),
        "2m_vs_1z": (16, 26, 7, 2, 1, 150),
        "27m_vs_30m": (285, 1170, 36, 27, 30, 180),
        "MMM2": (176, 322, 18, 10, 12, 180),
        "bane_vs_bane": (336, 984, 30, 24, 24, 200),
    }
    for name, sizes in known.items():
        scenario = SCENARIOS[name]
        army = muster(scenario)
        flat = torch.zeros(SIZE, SIZE)
        layout = Layout(scenario, army, Flags(), flat.bool(), flat)
        found = (layout.obs_size, layout.state_size, layout.actions, army.n, army.m, scenario.limit)
        assert found == sizes, name
