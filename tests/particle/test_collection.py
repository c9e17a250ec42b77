"""Cooperative Collection against hand calculation."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scripted import Share, play, random_player
from states import Places, collection_state, still, streams

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.particle import CooperativeCollection
from stmg_envs.particle.physics import lengths

FOODS: Places = [(-0.5, 0.5), (0.0, 0.5), (0.5, 0.5), (-0.5, -0.5), (0.0, -0.5), (0.5, -0.5)]
"""Of types 0, 0, 1, 1, 2, 2, like the agents."""
WAITING: Places = [(-0.75, 0.0), (-0.5, 0.0), (-0.25, 0.0), (0.25, 0.0), (0.5, 0.0), (0.75, 0.0)]
"""Where agents occupy nothing."""


def outcome_of(places: dict[int, tuple[float, float]], **arguments: Any) -> Any:
    game = CooperativeCollection(**arguments)
    agents = [places.get(index, place) for index, place in enumerate(WAITING)]
    return game.step(collection_state(game, agents, FOODS), still(game), streams())


def counts(outcome: Any) -> tuple[float, ...]:
    return tuple(outcome.metrics[name].item() for name in ("occupied", "matches", "collisions"))


def test_waiting_agents_pay_the_distance_to_the_nearest_food() -> None:
    outcome = outcome_of({})
    far = -math.hypot(0.25, 0.5)
    torch.testing.assert_close(outcome.rewards, torch.tensor([[far, -0.5, far, far, -0.5, far]]))
    assert counts(outcome) == (0, 0, 0)
    assert not outcome.terminated.any()


def test_a_food_of_any_type_and_of_ones_own() -> None:
    outcome = outcome_of({0: (-0.5, 0.5), 1: (0.5, 0.45), 5: (0.0, -0.59)})
    assert outcome.rewards[0, [0, 1, 5]].tolist() == pytest.approx([20, 10 - 0.05, 20 - 0.09], abs=1e-5)
    assert counts(outcome) == (3, 2, 0)


def test_bonuses_are_arguments() -> None:
    outcome = outcome_of({0: (-0.5, 0.5), 1: (0.5, 0.5)}, occupy_bonus=1, match_bonus=3)
    assert outcome.rewards[0, :2].tolist() == pytest.approx([3, 1], abs=1e-6)


def test_a_food_is_occupied_within_the_radius() -> None:
    assert counts(outcome_of({0: (-0.5, 0.401)}))[0] == 1
    assert counts(outcome_of({0: (-0.5, 0.399)}))[0] == 0
    assert counts(outcome_of({0: (-0.5, 0.399)}, occupy_radius=0.2))[0] == 1


def test_only_the_nearest_agent_occupies_a_food() -> None:
    outcome = outcome_of({0: (-0.46, 0.5), 4: (-0.59, 0.5)})
    # They overlap by 0.02, and the one of another type is nearer by less than the one of its type.
    assert outcome.rewards[0, [0, 4]].tolist() == pytest.approx([20 - 0.04, -0.09], abs=1e-5)
    assert counts(outcome) == (1, 1, 1)
    outcome = outcome_of({0: (-0.41, 0.5), 4: (-0.54, 0.5)})
    assert outcome.rewards[0, [0, 4]].tolist() == pytest.approx([-0.09, 10 - 0.04], abs=1e-5)
    assert counts(outcome) == (1, 0, 1)


def test_agents_push_each_other_off() -> None:
    moved = outcome_of({0: (-0.46, 0.5), 4: (-0.59, 0.5)}).state["velocity"][0]
    # An overlap of 0.02 pushes with 2 for a tenth of a second.
    torch.testing.assert_close(moved[[0, 4]], torch.tensor([[0.2, 0.0], [-0.2, 0.0]]), atol=1e-4, rtol=0)


def test_collisions_add_up() -> None:
    game = CooperativeCollection()
    state = collection_state(game, [(0.0, 0.9), (0.14, 0.9), (0.07, 0.78), *WAITING[3:]], FOODS)
    state = game.step(state, still(game), streams()).state
    assert state["collisions"].item() == 3
    state["position"] = state["position"] * torch.tensor([10.0, 10.0])
    assert game.step(state, still(game), streams()).metrics["collisions"].item() == 3


def test_observation_by_hand() -> None:
    game = CooperativeCollection(view=0.6)
    state = collection_state(game, WAITING, FOODS)
    state["velocity"][0, 1] = torch.tensor([0.5, -0.5])
    seen = game.observe(state)[0, 0]
    own, others, foods = seen[:7], seen[7:42].view(5, 7), seen[42:].view(6, 5)
    assert own.tolist() == [-0.75, 0, 0, 0, 1, 0, 0]
    # Agents 1 (0.25 away) and 2 (0.5 away) are seen, 3 to 5 are not.
    assert others[0].tolist() == [0.25, 0, 0.5, -0.5, 1, 0, 0]
    assert others[1].tolist() == [0.5, 0, 0, 0, 0, 1, 0]
    assert not others[2:].any()
    assert foods[0].tolist() == [0.25, 0.5, 1, 0, 0]
    assert foods[3].tolist() == [0.25, -0.5, 0, 1, 0]
    assert not foods[[1, 2, 4, 5]].any()
    everything = CooperativeCollection(view=10).observe(state)[0, 5]
    assert everything[4:7].tolist() == [0, 0, 1]
    assert everything[7:14].tolist() == [-1.5, 0, 0, 0, 1, 0, 0]
    assert everything[-5:].tolist() == [-0.25, -0.5, 0, 0, 1]


def test_global_state() -> None:
    game = CooperativeCollection()
    state = collection_state(game, WAITING, FOODS)
    expected = [*sum(WAITING, ()), *[0.0] * 12, *sum(FOODS, ())]
    assert game.global_state(state).tolist() == [expected]


def test_neighbours_by_hand() -> None:
    game = CooperativeCollection(communication_radius=0.25)
    graph = game.neighbors(collection_state(game, WAITING, FOODS))[0]
    assert graph.nonzero().tolist() == [[0, 1], [1, 0], [1, 2], [2, 1], [3, 4], [4, 3], [4, 5], [5, 4]]


@given(st.integers(0, 2**31), st.permutations(range(4)))
def test_slots_are_independent(seed: int, order: list[int]) -> None:
    game = CooperativeCollection()
    generator = torch.Generator().manual_seed(seed)
    state = game.reset(streams(4))
    state["position"] = state["position"] * 0.2
    for _ in range(3):
        actions = torch.rand(4, 6, 2, generator=generator) * 2 - 1
        outcome = game.step(state, actions, streams(4))
        mixed = game.step({name: value[order] for name, value in state.items()}, actions[order], streams(4))
        assert torch.equal(mixed.rewards, outcome.rewards[order])
        for name, value in outcome.state.items():
            assert torch.equal(mixed.state[name], value[order])
        state = outcome.state
        assert (lengths(state["velocity"]) <= 1 + 1e-6).all()
        assert game.observation_space.contains(game.observe(state)[0, 0].numpy())
        graph = game.neighbors(state)
        assert torch.equal(graph, graph.transpose(1, 2)) and not graph.diagonal(dim1=1, dim2=2).any()
        # The nearest agent alone occupies a food, so foods and their occupiers are as many.
        assert (outcome.metrics["matches"] <= outcome.metrics["occupied"]).all()


def test_foods_lie_apart_all_over_the_arena() -> None:
    food = CooperativeCollection().reset(streams(3000))["food"]
    apart = lengths(food[:, :, None] - food[:, None]) + torch.eye(6) * 9
    assert food.abs().max() < 1
    # Two fifths of a cell of side 2 / 3.
    assert apart.min() > 0.26
    torch.testing.assert_close(food.mean(dim=0), torch.zeros(6, 2), atol=0.05, rtol=0)


def test_bounds_are_what_simulations_give() -> None:
    low, high = stmg_envs.game_spec("stmg/CooperativeCollection-v0").bounds
    game = CooperativeCollection()
    random, scripted = play(game, random_player(game), 2000), play(game, Share(game), 500)
    assert random["returns"].mean().item() == pytest.approx(low, abs=3)
    assert scripted["returns"].mean().item() == pytest.approx(high, abs=8)
    assert scripted["matches"].mean() > 5.9


@pytest.mark.parametrize(
    ("name", "value"), [("view", None), ("occupy_radius", 0), ("match_bonus", "much"), ("radius", -0.1)]
)
def test_bad_arguments(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name}={value!r}.*expected"):
        CooperativeCollection(**{name: value})
