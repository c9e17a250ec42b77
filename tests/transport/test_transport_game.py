"""Grid transport plays as its description says, written down a second time and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import counts
from plain_transport import PlainEpisode, Point
from torch import Tensor

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import GameVectorEnv, Streams
from stmg_envs.transport import GridTransport

TASKS = [(variant, *grid) for variant in ("easy", "hard") for grid in ((2, 2), (2, 4), (4, 4), (4, 8))]


def lying(x: Tensor, columns: int) -> list[tuple[int, Point]]:
    """Colours and places of what is counted in (5, P)."""
    return [
        (color, divmod(place, columns))
        for color, places in enumerate(x.tolist())
        for place, count in enumerate(places)
        for _ in range(count)
    ]


def plain_of(game: GridTransport, state: dict[str, Tensor], row: int) -> PlainEpisode:
    hard, columns = game.variant == "hard", game.board.columns
    return PlainEpisode(
        hard,
        game.board.rows,
        columns,
        lying(state["boxes"][row], columns + hard),
        lying(state["targets"][row], columns),
    )


def assert_play_agrees(variant: str, rows: int, columns: int, episodes: int, steps: int) -> None:
    """Play at random, one action in ten whether it is legal or not, beside the plain episodes."""
    arguments: dict[str, Any] = {"variant": variant, "rows": rows, "columns": columns}
    team, own = (GridTransport(**arguments, credit=credit) for credit in ("team", "own"))
    env = GameVectorEnv(team, episodes, validate=False)
    env.reset(seed=3)
    draw = torch.Generator().manual_seed(0)
    plain = [plain_of(team, env.episodes.state, row) for row in range(episodes)]
    for _ in range(steps):
        before = dict(env.episodes.state)
        mask = team.action_mask(before)
        for row, episode in enumerate(plain):
            for agent in range(team.n):
                legal = set(episode.moves(divmod(agent, columns))) | {0}
                assert legal == set(np.flatnonzero(mask[row, agent].numpy()).tolist())
        actions = torch.rand(mask.shape, generator=draw).masked_fill(~mask, -1.0).argmax(dim=-1)
        anything = torch.randint(26, actions.shape, generator=draw)
        actions = torch.where(torch.rand(actions.shape, generator=draw) < 0.1, anything, actions)
        apart = own.step(before, actions, Streams.from_seeds(range(episodes))).rewards
        _, rewards, terminated, truncated, info = env.step(actions)
        for row, episode in enumerate(plain):
            own_rewards, shared, done, collided = episode.step(actions[row].tolist())
            assert rewards[row].tolist() == pytest.approx([shared] * team.n, abs=1e-5)
            assert apart[row].tolist() == pytest.approx(own_rewards, abs=1e-5)
            assert bool(terminated[row]) == (done or collided)
            assert bool(info["metrics"]["success"][row]) == done
            assert bool(info["metrics"]["collision"][row]) == collided
            if terminated[row] or truncated[row]:
                plain[row] = plain_of(team, env.episodes.state, row)
            else:
                now = plain_of(team, env.episodes.state, row)
                assert sorted(now.boxes) == sorted(episode.boxes)
                assert sorted(now.targets) == sorted(episode.targets)


@pytest.mark.parametrize(("variant", "rows", "columns"), TASKS)
def test_random_play_is_what_the_description_says(variant: str, rows: int, columns: int) -> None:
    assert_play_agrees(variant, rows, columns, episodes=10, steps=60 * 4 // (rows * columns) + 10)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "rows", "columns"), TASKS)
def test_long_random_play_is_what_the_description_says(variant: str, rows: int, columns: int) -> None:
    assert_play_agrees(variant, rows, columns, episodes=100, steps=1000)


def test_an_easy_step_by_hand() -> None:
    game = GridTransport(rows=2, columns=2)
    # Red is placed in (0, 0); blue goes from (0, 1) to (1, 1), one nearer to (1, 0).
    state = counts(game, {0: [(0, 1)], 1: [(0, 0), (0, 0)]}, {0: [(1, 0)], 1: [(0, 0), (1, 1)]})
    actions = torch.tensor([[1 + 5 * 1 + 4, 1 + 5 * 0 + 1, 0, 0]])
    outcome = game.step(state, actions, Streams.from_seeds([0]))
    # One of three is placed. Ways: blue 2 to 1; the other red 0 to 2, for its target is gone.
    assert outcome.rewards[0].tolist() == pytest.approx([(1 + 0.5 * (2 - 3) / 4) / 3 - 0.01] * 4)
    own = GridTransport(rows=2, columns=2, credit="own").step(state, actions, Streams.from_seeds([0]))
    assert own.rewards[0].tolist() == pytest.approx([1 / 3 - 0.01, 0.5 / 4 / 3 - 0.01, -0.01, -0.01])
    sparse = GridTransport(rows=2, columns=2, reward="sparse").step(state, actions, Streams.from_seeds([0]))
    assert not sparse.rewards.any() and not outcome.terminated.any()


@pytest.mark.parametrize("reward", ["progress", "sparse"])
def test_the_last_box_ends_the_episode_with_1(reward: Any) -> None:
    game = GridTransport(rows=1, columns=2, reward=reward, max_steps=1)
    state = counts(game, {4: [(0, 1)]}, {4: [(0, 1)]})
    outcome = game.step(state, torch.tensor([[0, 1 + 5 * 4 + 4]]), Streams.from_seeds([0]))
    assert outcome.rewards[0].tolist() == pytest.approx([1.0 if reward == "sparse" else 1.99] * 2)
    metrics = {name: float(x) for name, x in outcome.metrics.items()}
    # Done in the very last step, which the authors' code counts as failed.
    assert metrics == {"success": 1, "collision": 0, "steps": 1, "success_published": 0}


def test_boxes_that_come_to_the_same_corner_collide() -> None:
    game = GridTransport("hard", rows=1, columns=2)
    state = counts(game, {0: [(0, 0)], 1: [(0, 2)]}, {0: [(0, 1)], 1: [(0, 0)]})
    # Both go to (1, 1): the south-eastern corner of the one agent, the south-western one of the other.
    outcome = game.step(state, torch.tensor([[1 + 3, 1 + 5 + 2]]), Streams.from_seeds([0]))
    assert outcome.terminated.tolist() == [True]
    assert outcome.rewards[0].tolist() == pytest.approx([-1.01] * 2)
    assert float(outcome.metrics["collision"]) == 1 and float(outcome.metrics["success"]) == 0


def test_a_corner_that_is_left_in_the_same_step_is_not_free() -> None:
    game = GridTransport("hard", rows=1, columns=2)
    state = counts(game, {0: [(0, 1)], 1: [(0, 0)]}, {0: [(0, 1)], 1: [(0, 1)]})
    mask = game.action_mask(state)
    assert not mask[0, 0, 1 + 5 + 1]
    assert mask[0, 0, 1 + 5 + 3]


def test_the_first_of_two_who_name_a_box_moves_it() -> None:
    game = GridTransport("hard", rows=1, columns=2)
    state = counts(game, {2: [(0, 1)]}, {2: [(0, 0)]})
    # Agent 0 would place it, agent 1 carry it away.
    actions = torch.tensor([[1 + 5 * 2 + 4, 1 + 5 * 2 + 3]])
    outcome = game.step(state, actions, Streams.from_seeds([0]))
    assert float(outcome.metrics["success"]) == 1
    assert outcome.state["placed"].tolist() == [[True, False]]


def test_what_an_agent_sees() -> None:
    game = GridTransport(rows=2, columns=3)
    state = counts(game, {0: [(0, 0), (0, 0)], 1: [(1, 1)]}, {0: [(1, 2), (0, 1)], 1: [(0, 0)]})
    state["clock"] += 15
    boxes, targets, place, offsets, left, time = game.observe(state)[0, 1].split([25, 25, 2, 10, 5, 1])
    # Of the agent of (0, 1): itself, north (none), south, west, east.
    seen = torch.zeros(5, 5)
    seen[0, 3], seen[1, 2] = 2 / 3, 1 / 3
    assert torch.equal(boxes.view(5, 5), seen)
    seen = torch.zeros(5, 5)
    seen[0, 0], seen[1, 3] = 1 / 3, 1 / 3
    assert torch.equal(targets.view(5, 5), seen)
    assert place.tolist() == pytest.approx([0, 1 / 3])
    assert offsets.view(5, 2)[:2].flatten().tolist() == pytest.approx([0, 0, 0, -1 / 3])
    assert not offsets[4:].any()
    assert left.tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0, 0])
    assert time.item() == 0.5


def test_neighbours_are_next_to_each_other() -> None:
    easy, hard = (GridTransport(v, rows=2, columns=2).board.neighbors for v in ("easy", "hard"))
    assert easy.int().tolist() == [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]]
    assert hard.sum() == 12


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), columns=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_tasks_begin_as_described(seed: int, rows: int, columns: int) -> None:
    streams = Streams.from_seeds(range(seed, seed + 20))
    easy = GridTransport("easy", rows, columns).reset(streams)
    assert torch.equal(easy["boxes"].sum(dim=2), easy["targets"].sum(dim=2))
    assert {int(x) for x in easy["boxes"].sum(dim=2).flatten()} <= {1, 2, 3}
    hard = GridTransport("hard", rows, columns).reset(streams)
    assert (hard["boxes"].sum(dim=2) == 1).all() and (hard["targets"].sum(dim=2) == 1).all()
    assert hard["boxes"].sum(dim=1).max() == 1


def test_all_numbers_of_boxes_and_all_squares_are_drawn_alike() -> None:
    state = GridTransport(rows=2, columns=2).reset(Streams.from_seeds(range(4000)))
    numbers = torch.bincount(state["boxes"].sum(dim=2).flatten()) / 20000
    assert numbers.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.015)
    for name in ("boxes", "targets"):
        shares = state[name].float().sum(dim=(0, 1)) / state[name].sum()
        assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize(
    "arguments",
    [
        {"variant": "medium"},
        {"rows": 0},
        {"columns": 33},
        {"rows": 1, "columns": 1},
        {"reward": "dense"},
        {"credit": "mine"},
        {"max_steps": 0},
    ],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, Any]) -> None:
    (name,) = list(arguments)[:1]
    with pytest.raises(InvalidArgumentError, match=name):
        stmg_envs.vector_env("stmg/GridTransport-v0", 1, **arguments)


def test_pictures_say_how_it_ended() -> None:
    easy = GridTransport(rows=1, columns=2)
    stacked = counts(easy, {color: [(0, 1)] for color in range(5)}, {color: [(0, 0)] for color in range(5)})
    assert str(easy.render(stacked, "ansi")).startswith("step 0 of 30: 0 of 5 boxes placed\n")
    done = stacked | {"boxes": torch.zeros_like(stacked["boxes"])}
    assert str(easy.render(done, "ansi")).startswith("step 0 of 30: 5 of 5 boxes placed, all placed\n")
    hard = GridTransport("hard", rows=1, columns=2)
    collided = counts(hard, {0: [(1, 1)], 1: [(1, 1)]}, {0: [(0, 1)], 1: [(0, 0)]})
    assert str(hard.render(collided, "ansi")).startswith(
        "step 0 of 30: 0 of 2 boxes placed, boxes collided\n"
    )


def test_pictures_say_what_lies_where() -> None:
    game = GridTransport("hard", rows=1, columns=2)
    state = counts(game, {0: [(0, 0)], 1: [(0, 2)]}, {0: [(0, 1)], 1: [(0, 0)]})
    after = game.step(state, torch.tensor([[1 + 1, 0]]), Streams.from_seeds([0])).state
    text = game.render(after, "ansi")
    assert isinstance(text, str)
    assert text.splitlines() == [
        "step 1 of 30: 0 of 2 boxes placed",
        "blue    boxes (0, 1)  targets (0, 1)",
        "red     boxes (0, 2)  targets (0, 0)",
        "green   boxes none  targets none",
        "purple  boxes none  targets none",
        "orange  boxes none  targets none",
        "agent (0, 0) moved blue from (0, 0) to (0, 1)",
    ]
    still, moved = (game.render(s, "rgb_array") for s in (state, after))
    assert isinstance(moved, np.ndarray) and moved.dtype == np.uint8
    assert not np.array_equal(still, moved)
