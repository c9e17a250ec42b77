"""Pictures of particle games."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from states import collection_state, hunting_state, still, streams

from stmg_envs.particle import CooperativeCollection, CooperativeHunting
from stmg_envs.particle.rendering import COLORS, SIZE


def pixel(picture: np.ndarray, x: float, y: float, limit: float = 1.2) -> str:
    """The colour at a place, as text."""
    column = round(SIZE / 2 + x / (limit / 0.95) * SIZE / 2)
    row = round(SIZE - (y / limit + 1) / 2 * 0.95 * SIZE)
    return "#" + "".join(f"{part:02x}" for part in picture[row, column])


def test_bodies_stand_where_they_are() -> None:
    game = CooperativeHunting(communication_radius=0.1)
    state = hunting_state(game, [(-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.25, -0.5)])
    picture = game.render(state, "rgb_array")
    assert isinstance(picture, np.ndarray) and picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    # Beside the number in the middle.
    assert pixel(picture, -0.45, 0.5) == COLORS["attacker"]
    assert pixel(picture, 0.55, 0.5) == COLORS["interceptor"]
    assert pixel(picture, 0.55, -0.5) == COLORS["interceptor"]
    assert pixel(picture, -0.25, -0.5) == COLORS["prey"]
    # What the prey sees is tinted, the rest is not.
    assert pixel(picture, -0.25, -0.2) != "#ffffff"
    assert pixel(picture, 0.0, 0.5) == "#ffffff"


def test_edges_are_drawn() -> None:
    place = [(-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.8, -0.8)]
    for radius, drawn in ((0.1, False), (1.05, True)):
        game = CooperativeHunting(communication_radius=radius)
        picture = game.render(hunting_state(game, place), "rgb_array")
        assert isinstance(picture, np.ndarray)
        column = picture[:, SIZE // 2]
        assert bool((column[80 : SIZE // 2] < 200).all(axis=-1).any()) == drawn


def test_everything_far_away_is_in_the_picture() -> None:
    game = CooperativeHunting()
    state = hunting_state(game, [(3.0, 0.0), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])
    picture = game.render(state, "rgb_array")
    assert isinstance(picture, np.ndarray)
    assert pixel(picture, 3.05, 0.0, limit=3.1) == COLORS["attacker"]


def test_prey_that_was_hit_is_faded() -> None:
    game = CooperativeHunting("II")
    state = hunting_state(game, [(-0.5, 0.5), (0.9, 0.9), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (0.0, -0.9)])
    state["caught"][0, 0] = True
    picture = game.render(state, "rgb_array")
    assert isinstance(picture, np.ndarray)
    assert pixel(picture, 0.0, -0.9) == COLORS["prey"]
    assert pixel(picture, -0.5, -0.5) not in (COLORS["prey"], "#ffffff")


@pytest.mark.parametrize("variant", ["I", "II"])
def test_hunting_in_words(variant: str) -> None:
    game = CooperativeHunting(variant)  # type: ignore[arg-type]
    text = game.render(game.reset(streams(3)), "ansi")
    assert isinstance(text, str)
    assert text.startswith("attacker_0 (") and "prey_0 (" in text
    assert text.endswith(f"hit 0 of {game.prey}, collisions 0")


def test_collection() -> None:
    game = CooperativeCollection()
    agents = [(-0.5, 0.5), (0.5, 0.5), (0.0, 0.9), (-0.9, -0.5), (0.2, -0.5), (0.9, 0.0)]
    foods = [(-0.5, 0.45), (0.0, 0.5), (0.5, 0.9), (-0.5, -0.5), (0.0, -0.5), (0.5, -0.5)]
    state = collection_state(game, agents, foods)
    before = {name: value.clone() for name, value in state.items()}
    picture = game.render(state, "rgb_array", (5, 4, 3, 2, 1, 0))
    assert isinstance(picture, np.ndarray)
    for agent, color in enumerate(game.colors):
        x, y = agents[agent]
        assert pixel(picture, x - 0.05, y) == COLORS[color]
    assert pixel(picture, 0.0, 0.5) == "#ffffff", "foods are rings"
    # The priority shows.
    assert not np.array_equal(picture, game.render(state, "rgb_array"))
    text = game.render(state, "ansi")
    assert isinstance(text, str) and text.endswith("1 foods occupied, 0 collisions")
    assert all(torch.equal(value, before[name]) for name, value in state.items())
    game.step(state, still(game), streams())
