"""Cooperative Hunting against hand calculation, and what it takes to catch the prey."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scripted import KeepOff, Surround, chase_alone, play, random_player
from states import hunting_state, still, streams

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.particle import CooperativeHunting, Physics
from stmg_envs.particle.physics import lengths
from stmg_envs.protocol import GameVectorEnv

FAR = [(-0.8, -0.8), (-0.8, 0.8)]
"""Where two interceptors see and touch nobody."""


# --- roles and spaces ---


@pytest.mark.parametrize(
    ("variant", "agents", "width", "state"),
    [
        ("I", ("attacker_0", "interceptor_0", "interceptor_1"), 20, 17),
        ("II", ("attacker_0", "attacker_1", "interceptor_0", "interceptor_1"), 30, 26),
    ],
)
def test_variants(variant: Any, agents: tuple[str, ...], width: int, state: int) -> None:
    game = CooperativeHunting(variant)
    assert game.agents == agents
    assert game.max_steps == 30
    assert game.observation_space.shape == (width,)
    assert game.state_space is not None and game.state_space.shape == (state,)


def test_discrete_actions_are_full_pushes() -> None:
    first, second = CooperativeHunting(actions="discrete"), CooperativeHunting()
    pushes = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    state = hunting_state(first, [(0.5, 0.5), *FAR, (0.5, -0.5)])
    for action, push in enumerate(pushes):
        left = first.step(state, torch.full((1, 3), action), streams())
        right = second.step(state, torch.tensor([[push] * 3], dtype=torch.float32), streams())
        assert torch.equal(left.state["velocity"], right.state["velocity"])
        # Predators accelerate by 3 for a tenth of a second.
        torch.testing.assert_close(left.state["velocity"][0, 0], 0.3 * torch.tensor(push).float())


def test_actions_beyond_the_bounds_are_clipped() -> None:
    game = CooperativeHunting()
    state = hunting_state(game, [(0.5, 0.5), *FAR, (0.5, -0.5)])
    moved = game.step(state, torch.tensor([[[9.0, -7.0]] * 3]), streams()).state
    torch.testing.assert_close(moved["velocity"][0, 0], torch.tensor([0.3, -0.3]))


# --- rewards and ends ---


def test_predators_pay_their_distance_and_leaving_the_arena() -> None:
    game = CooperativeHunting()
    state = hunting_state(game, [(-0.3, 0.0), (0.3, 0.95), (0.3, -1.05), (0.3, 0.0)])
    outcome = game.step(state, still(game), streams())
    expected = [-0.6, -0.95 - 10 * 0.05, -1.05 - math.exp(0.1)]
    torch.testing.assert_close(outcome.rewards, torch.tensor([expected]))
    assert not outcome.terminated.any()
    assert {name: value.item() for name, value in outcome.metrics.items()} == {
        "caught": 0,
        "hits": 0,
        "collisions": 0,
    }


def test_boundary_penalty_has_three_parts() -> None:
    game = CooperativeHunting()
    x = torch.cat([torch.linspace(0, 4, 100_001), torch.nextafter(torch.ones(2), torch.tensor([0.0, 2.0]))])
    ramp, exponential = (x - 0.9).mul(10).clamp(min=0), (2 * x - 2).exp().clamp(max=10)
    penalty = game.outside(torch.stack([x, torch.zeros_like(x)], dim=-1)[None])[0]
    assert torch.equal(penalty, torch.where(x < 1, ramp, exponential))


def test_boundary_penalty_is_bounded_and_has_a_weight() -> None:
    game = CooperativeHunting(boundary_penalty=0.5, arena=2.0)
    place = torch.tensor([[[1.8, 0.0], [1.9, -1.9], [100.0, 0.0]]])
    torch.testing.assert_close(game.outside(place), torch.tensor([[0.0, 0.5, 5.0]]))


def test_an_attacker_that_touches_the_prey_ends_the_hunt() -> None:
    game = CooperativeHunting(hit_bonus=7)
    for gap, hit in ((0.124, True), (0.126, False)):
        outcome = game.step(hunting_state(game, [(0.0, 0.0), *FAR, (0.0, gap)]), still(game), streams())
        assert outcome.rewards[0, 0].item() == pytest.approx(7 * hit - gap, abs=1e-6)
        assert outcome.terminated.tolist() == [hit]
        assert outcome.metrics["caught"].tolist() == [hit]


def test_contact_counts_where_the_step_ends() -> None:
    game = CooperativeHunting(hit_bonus=7)
    state = hunting_state(
        game, [(0.0, -0.2), *FAR, (0.0, 0.0)], [(0.0, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]
    )
    outcome = game.step(state, still(game), streams())
    assert outcome.rewards[0, 0].item() == pytest.approx(7 - 0.1, abs=1e-6)


def test_an_interceptor_within_its_grip_pays_in_every_step() -> None:
    game = CooperativeHunting(hit_bonus=7, collision_penalty=3, grip=0.25)
    for gap, held in ((0.24, True), (0.26, False)):
        state = hunting_state(game, [(-0.8, -0.8), (0.0, 0.0), (-0.8, 0.8), (0.0, gap)])
        outcome = game.step(state, still(game), streams())
        assert outcome.rewards[0, 1].item() == pytest.approx(-3 * held - gap, abs=1e-6)
        assert not outcome.terminated.any()
        again = game.step(outcome.state, still(game), streams())
        assert again.metrics["collisions"].item() == 2 * held


def test_two_interceptors_that_hold_one_prey_both_pay() -> None:
    game = CooperativeHunting(collision_penalty=3)
    state = hunting_state(game, [(-0.8, -0.8), (0.2, 0.0), (-0.2, 0.0), (0.0, 0.0)])
    outcome = game.step(state, still(game), streams())
    torch.testing.assert_close(outcome.rewards[0, 1:], torch.tensor([-3.2, -3.2]))
    assert outcome.metrics["collisions"].item() == 2


# --- flight and hold ---


def test_prey_flees_from_attackers_until_it_is_held() -> None:
    game = CooperativeHunting()
    place = {"prey": (0.0, 0.0), "attacker": (-0.3, 0.0)}
    free = hunting_state(game, [place["attacker"], *FAR, place["prey"]])
    pushed = game.step(free, still(game), streams()).state["velocity"][0, 3]
    # Full acceleration for a tenth of a second, straight away from the attacker.
    torch.testing.assert_close(pushed, torch.tensor([1.5, 0.0]))
    held = hunting_state(game, [place["attacker"], (0.2, 0.2), FAR[0], place["prey"]])
    state = held
    for _ in range(3):
        state = game.step(state, still(game), streams()).state
        assert torch.equal(state["position"][0, 3], torch.zeros(2))
        assert torch.equal(state["velocity"][0, 3], torch.zeros(2))


def test_running_prey_stops_where_it_is_held() -> None:
    game = CooperativeHunting()
    state = hunting_state(
        game, [(-0.8, -0.8), (0.3, 0.0), (-0.8, 0.8), (-0.1, 0.0)], [(0, 0), (0, 0), (0, 0), (1.5, 0)]
    )
    first = game.step(state, still(game), streams())
    torch.testing.assert_close(first.state["position"][0, 3], torch.tensor([0.05, 0.0]))
    assert not first.state["velocity"][0, 3].any()
    assert first.metrics["collisions"].item() == 1


def test_prey_does_not_flee_from_interceptors() -> None:
    game = CooperativeHunting()
    state = hunting_state(game, [(-0.8, -0.8), (0.35, 0.0), (-0.8, 0.8), (0.0, 0.0)])
    assert not game.step(state, still(game), streams()).state["velocity"][0, 3].any()


def test_two_prey() -> None:
    game = CooperativeHunting("II", hit_bonus=7, boundary_penalty=0)
    places = [(0.0, 0.0), (0.1, 0.1), (-0.8, -0.8), (-0.6, 0.6), (0.0, 0.1), (0.9, -0.9)]
    outcome = game.step(hunting_state(game, places), still(game), streams())
    # Both attackers touch the first prey, both are paid; distances are to the nearest prey as it was free.
    nearest = [0.1, 0.1, math.hypot(0.8, 0.9), math.hypot(0.6, 0.5)]
    expected = [7 - nearest[0], 7 - nearest[1], -nearest[2], -nearest[3]]
    torch.testing.assert_close(outcome.rewards, torch.tensor([expected]))
    assert not outcome.terminated.any()
    assert (outcome.metrics["hits"].item(), outcome.metrics["caught"].item()) == (1, 0)
    state = outcome.state
    assert state["caught"].tolist() == [[True, False]]
    # Prey that is out has no part in anything: it stays, it does not push, and it is not seen.
    place = state["position"][0, 4].clone()
    for _ in range(3):
        outcome = game.step(outcome.state, still(game), streams())
        assert (outcome.rewards < -0.5).all()
        assert torch.equal(outcome.state["position"][0, 4], place)
    assert torch.equal(game.observe(outcome.state)[0, :, 20:25], torch.zeros(4, 5))
    assert torch.equal(game.global_state(outcome.state)[0, -2:], torch.tensor([0.0, 1.0]))
    last = dict(outcome.state)
    last["position"] = last["position"].clone()
    last["position"][0, 5] = last["position"][0, 1] + torch.tensor([0.1, 0.0])
    last["velocity"] = torch.zeros_like(last["velocity"])
    outcome = game.step(last, still(game), streams())
    assert outcome.terminated.all()
    assert (outcome.metrics["hits"].item(), outcome.metrics["caught"].item()) == (2, 1)


def test_predators_and_prey_that_is_out_pass_through_each_other() -> None:
    game = CooperativeHunting("II")
    places = [(0.0, 0.0), (0.9, 0.9), (-0.8, -0.8), (-0.6, 0.6), (0.0, 0.1), (0.9, -0.9)]
    state = hunting_state(game, places)
    state["caught"][0, 0] = True
    moved = game.step(state, still(game), streams()).state
    assert not moved["velocity"][0, 0].any()
    state["caught"][0, 0] = False
    assert game.step(state, still(game), streams()).state["velocity"][0, 0].any()


# --- what is seen ---


def test_observation_by_hand() -> None:
    game = CooperativeHunting()
    state = hunting_state(
        game,
        [(0.0, 0.0), (0.5, 0.0), (0.0, -0.25), (0.0, 1.0)],
        [(0.5, 0.0), (0.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
    )
    expected = [
        [0, 0, 0.5, 0, 1, 0.5, 0, -0.5, 0, 1, 0, -0.25, -0.5, 1, 1, 0, 1, -1.5, 0, 1],
        [0.5, 0, 0, 0, 0, -0.5, 0, 0.5, 0, 1, -0.5, -0.25, 0, 1, 1, -0.5, 1, -1, 0, 1],
        [0, -0.25, 0, 1, 0, 0, 0.25, 0.5, -1, 1, 0.5, 0.25, 0, -1, 1, 0, 1.25, -1, -1, 1],
    ]
    assert torch.equal(game.observe(state), torch.tensor([expected]))
    places, velocities = state["position"].flatten().tolist(), state["velocity"].flatten().tolist()
    assert game.global_state(state).tolist() == [[*places, *velocities, 1]]


def test_predators_see_what_is_near() -> None:
    game = CooperativeHunting(view=0.5)
    state = hunting_state(game, [(0.0, 0.0), (0.5, 0.0), (0.0, -0.75), (0.0, 0.25)])
    seen = game.observe(state)[0, :, [9, 14, 19]]
    # The others in order, without oneself, and then the prey.
    assert seen.tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]
    hidden = game.observe(state)[0].view(3, 4, 5)[2, 1:]
    assert not hidden.any()


def test_neighbours_by_hand() -> None:
    game = CooperativeHunting(communication_radius=0.5)
    state = hunting_state(game, [(0.0, 0.0), (0.5, 0.0), (0.9, 0.0), (0.1, 0.1)])
    assert game.neighbors(state).int().tolist() == [[[0, 1, 0], [1, 0, 1], [0, 1, 0]]]


def test_trails_hold_the_last_places() -> None:
    game = CooperativeHunting(trail=2)
    state = hunting_state(game, [(0.0, 0.0), *FAR, (0.5, 0.5)])
    places = [state["position"]]
    for _ in range(4):
        state = game.step(state, torch.ones(1, 3, 2), streams()).state
        places.append(state["position"])
    assert torch.equal(state["trail"], torch.stack([places[3], places[2]], dim=1))
    bare = CooperativeHunting(trail=0)
    state = bare.step(bare.reset(streams(4)), still(bare, 4), streams(4)).state
    assert state["trail"].shape == (4, 0, 4, 2)


# --- invariants ---


@given(st.sampled_from(["I", "II"]), st.integers(0, 2**31), st.permutations(range(5)))
def test_slots_are_independent(variant: Any, seed: int, order: list[int]) -> None:
    game = CooperativeHunting(variant, view=1.0, communication_radius=0.8)
    generator = torch.Generator().manual_seed(seed)
    state = game.reset(streams(5))
    # So near each other that everything happens.
    state["position"] = state["position"] * 0.3
    for _ in range(4):
        actions = torch.rand(5, game.n, 2, generator=generator) * 2 - 1
        outcome = game.step(state, actions, streams(5))
        mixed = game.step({name: value[order] for name, value in state.items()}, actions[order], streams(5))
        assert torch.equal(mixed.rewards, outcome.rewards[order])
        assert torch.equal(mixed.terminated, outcome.terminated[order])
        for name, value in outcome.state.items():
            assert torch.equal(mixed.state[name], value[order])
        state = outcome.state
        assert (lengths(state["velocity"]) <= torch.tensor([1.0] * game.n + [2.0] * game.prey) + 1e-6).all()
        assert game.observation_space.contains(game.observe(state)[0, 0].numpy())
        graph = game.neighbors(state)
        assert torch.equal(graph, graph.transpose(1, 2)) and not graph.diagonal(dim1=1, dim2=2).any()


def test_episodes_start_at_rest_in_the_arena() -> None:
    state = CooperativeHunting(arena=2.0).reset(streams(2000))
    position = state["position"]
    assert not state["velocity"].any() and not state["caught"].any()
    assert position.abs().max() <= 2 and position.abs().max() > 1.99
    torch.testing.assert_close(position.mean(dim=0), torch.zeros(4, 2), atol=0.1, rtol=0)


# --- how hard it is ---


def catch_rate(player: Any, episodes: int = 400) -> float:
    return play(CooperativeHunting(), player, episodes)["caught"].mean().item()


def test_one_predator_hardly_ever_catches_the_prey() -> None:
    # Over many episodes it does in 6 %, mostly when it starts next to it.
    assert catch_rate(chase_alone) < 0.15


def test_interceptors_that_do_not_pay_are_little_help() -> None:
    # Over many episodes they catch it in 26 %, when it runs into them.
    game = CooperativeHunting()
    result = play(game, KeepOff(game), 400)
    assert result["caught"].mean() < 0.4


def test_three_that_surround_the_prey_catch_it() -> None:
    # Over many episodes they do in 98 %.
    assert catch_rate(Surround(CooperativeHunting())) > 0.9


def test_the_hit_pays_the_group_for_holding_but_not_the_interceptors() -> None:
    game = CooperativeHunting()
    selfish, together = (
        play(game, player(game), 400)["returns"].mean(dim=0) for player in (KeepOff, Surround)
    )
    # Over many episodes 134, -29 and -29, against 17, -25 and -25.
    assert together.sum() > selfish.sum() + 50
    assert (together[1:] < selfish[1:] - 1).all()


def test_bounds_are_what_simulations_give() -> None:
    low, high = stmg_envs.game_spec("stmg/CooperativeHunting-v0").bounds
    game = CooperativeHunting()
    random, scripted = play(game, random_player(game), 2000), play(game, Surround(game), 1000)
    assert random["returns"].mean().item() == pytest.approx(low, abs=1.5)
    assert scripted["returns"].mean().item() == pytest.approx(high, abs=1.5)


# --- arguments ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variant", "III"),
        ("actions", "angular"),
        ("max_steps", 0),
        ("max_steps", 2.5),
        ("view", -1),
        ("communication_radius", 0),
        ("prey_view", math.nan),
        ("prey_reach", "far"),
        ("grip", 0),
        ("hit_bonus", None),
        ("collision_penalty", math.inf),
        ("boundary_penalty", "some"),
        ("arena", True),
        ("predator_max_speed", 0.0),
        ("prey_acceleration", -4),
        ("physics", {"dt": 0.1}),
        ("trail", -1),
    ],
)
def test_bad_arguments(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name}={value!r}.*expected"):
        CooperativeHunting(**{name: value})


def test_physics_is_an_argument() -> None:
    game = CooperativeHunting(physics=Physics(dt=0.5, damping=0.0))
    moved = game.step(
        hunting_state(game, [(0.0, 0.0), *FAR, (0.9, 0.9)]), torch.ones(1, 3, 2) * 0.25, streams()
    ).state
    torch.testing.assert_close(moved["velocity"][0, 0], torch.tensor([0.375, 0.375]))


def test_a_batch_plays_on() -> None:
    env = GameVectorEnv(CooperativeHunting("II", actions="discrete", max_steps=5), 16)
    env.reset(seed=0)
    ends = [env.step(torch.full((16, 4), step % 5))[3].all().item() for step in range(10)]
    assert ends[4] and ends[9]
