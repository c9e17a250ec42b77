"""Pictures of allocations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from stmg_envs.allocation import ResourceAllocation
from stmg_envs.allocation.rendering import BAR, BEST, FELL, HEIGHT, WIDTH
from stmg_envs.protocol import Streams


def after(game: ResourceAllocation, *joint_actions: list[int]) -> dict[str, torch.Tensor]:
    streams = Streams.from_seeds([0])
    state = game.reset(streams)
    for joint in joint_actions:
        state = game.step(state, torch.tensor([joint]), streams).state
    return state


def text(game: ResourceAllocation, *joint_actions: list[int], **kwargs: Any) -> list[str]:
    picture = game.render(after(game, *joint_actions), "ansi", **kwargs)
    assert isinstance(picture, str)
    return picture.splitlines()


def pixels(game: ResourceAllocation, *joint_actions: list[int], **kwargs: Any) -> np.ndarray:
    picture = game.render(after(game, *joint_actions), "rgb_array", **kwargs)
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    return picture


def columns(picture: np.ndarray, color: str, tolerance: int = 0) -> np.ndarray:
    """Where across the picture a colour is, sorted; lines between two pixels have it but nearly."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return np.unique((abs(picture.astype(int) - rgb) <= tolerance).all(axis=-1).nonzero()[1])


def test_text_tells_who_took_what_in_order_of_decision() -> None:
    lines = text(ResourceAllocation(3), [2, 0, 9], priority=(2, 0, 1))
    assert lines[0] == "x = 11, G = 7.053 (78.4%); best: x = 9, G = 9.000"
    assert lines[-3:] == ["agent_2  9  #########", "agent_0  2  ##", "agent_1  0"]


def test_text_marks_the_sum_and_the_best_one_under_the_curve() -> None:
    for total, joint in ((11, [2, 0, 9]), (27, [9, 9, 9]), (0, [0, 0, 0])):
        lines = text(ResourceAllocation(3), joint)
        marks = next(line for line in lines if set(line) == {" ", "*", "x"} or set(line) == {"x", " ", "*"})
        assert marks.index("*") == 9 and marks.index("x") == total
        # The highest column is that of the best sum, and beside nothing is drawn.
        assert lines[2].index("#") <= 9 <= lines[2].rindex("#")
        assert max(map(len, lines)) <= 80
    assert not any("x" in line for line in text(ResourceAllocation(3))[2:11])


def test_before_the_first_round_nobody_has_decided() -> None:
    assert text(ResourceAllocation(3))[0] == "nobody has decided; best: x = 9, G = 9.000"
    assert not len(columns(pixels(ResourceAllocation(3)), BAR))


def test_rounds_are_counted() -> None:
    assert text(ResourceAllocation(2, rounds=3), [1, 1], [3, 3])[0].endswith("G = 6.000; round 2 of 3")


@pytest.mark.parametrize("n", [21, 1000])
def test_many_agents_stay_readable(n: int) -> None:
    joint = [i % 10 for i in range(n)]
    lines = text(ResourceAllocation(n), joint, priority=tuple(reversed(range(n))))
    assert len(lines) <= 40 and max(map(len, lines)) <= 80
    start = lines.index("shares, first to decide first:") + 1
    digits = "".join(line.split()[1] for line in lines[start:])
    assert digits == "".join(map(str, reversed(joint)))


def test_the_dot_stands_where_the_joint_action_fell() -> None:
    across = 0.88 * WIDTH / 90
    picture = pixels(ResourceAllocation(), [5] * 10)
    assert columns(picture, FELL).mean() == pytest.approx(0.09 * WIDTH + 50 * across, abs=1.5)
    left, inside = 70, picture[40 : HEIGHT // 2 - 20, 70:]
    # The word that names the line is to its right.
    assert left + columns(inside, BEST, 40)[0] == pytest.approx(0.09 * WIDTH + 32 * across, abs=2)
    assert not len(columns(pixels(ResourceAllocation(), [4, 4] + [3] * 8), FELL))


@pytest.mark.parametrize("n", [10, 50, 1000])
def test_bars_stand_in_order_of_decision(n: int) -> None:
    """The tenth that decides last takes 9 each, and nobody else anything."""
    joint = [0] * n
    joint[: n // 10] = [9] * (n // 10)
    picture = pixels(ResourceAllocation(n), joint, priority=tuple(reversed(range(n))))
    found = columns(picture, BAR)
    assert found.min() > 0.09 * WIDTH + 0.9 * 0.88 * WIDTH and found.max() < 0.97 * WIDTH
    assert len(found) > 0.04 * WIDTH


def test_pictures_of_hidden_stocks_show_them() -> None:
    game = ResourceAllocation(10, hidden=True)
    state = after(game)
    picture = game.render(state, "ansi")
    assert isinstance(picture, str) and f"best: x = {int(state['best'])}," in picture
