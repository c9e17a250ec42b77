"""One call tells an author of a game what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from engines import ENGINE_IDS, with_engines
from games import GAMES, Tokens, Walk
from gymnasium.spaces import Box, Discrete
from torch import Tensor

import stmg_envs
from stmg_envs.protocol import Outcome, State, Streams
from stmg_envs.testing import ConformanceError, check_game

SLOW = ("teams", "fallen")
"""More of a game that takes long."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in GAMES]
)
def test_all_games_are_what_the_suite_asks_for(name: str) -> None:
    check_game(name if name in stmg_envs.list_envs() else GAMES[name]())


@pytest.mark.parametrize("id", with_engines(ENGINE_IDS))
def test_engines_are_what_the_suite_asks_for(id: str) -> None:
    check_game(id)


def test_another_backend() -> None:
    pytest.importorskip("highway_env")
    check_game("stmg/OnRampMerge-v0", backend="highway-env", traffic_density=2)


class Counting(Walk):
    """Pays more from step to step."""

    steps = 0

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        self.steps += 1
        outcome = super().step(state, actions, streams)
        return replace(outcome, rewards=outcome.rewards + self.steps * state["alive"])


class InPlace(Walk):
    """Moves agents where they stand."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        state["position"].copy_(outcome.state["position"])
        return outcome


class Global(Walk):
    """Begins where a generator of its own says."""

    def reset(self, streams: Streams) -> State:
        state = super().reset(streams)
        return state | {"position": torch.rand_like(state["position"]) - 0.5}


class Crowded(Walk):
    """Episodes look at each other."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        position = outcome.state["position"]
        return replace(outcome, state=outcome.state | {"position": position - 0.1 * position.mean(dim=0)})


class Wide(Walk):
    """Observations leave their space."""

    def observe(self, state: State) -> Tensor:
        return super().observe(state) * 100


class Doubles(Walk):
    """Rewards of another type."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        return replace(outcome, rewards=outcome.rewards.double())


class Generous(Walk):
    """Pays agents that are out."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        return replace(outcome, rewards=outcome.rewards + 1)


class Haunted(Walk):
    """Agents that are out push the others."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        pushed = (actions[..., 0] * ~state["alive"]).sum(dim=1, keepdim=True)
        return replace(outcome, rewards=outcome.rewards + pushed * state["alive"])


class Lopsided(Walk):
    """Agents notice others that do not notice them."""

    def neighbors(self, state: State) -> Tensor:
        return super().neighbors(state).triu()


class Stuck(Tokens):
    """Nobody may do anything without tokens."""

    def action_mask(self, state: State) -> Tensor:
        return super().action_mask(state) & (state["tokens"] > 0)[..., None]


class Endless(Tokens):
    """Tokens come back, and there is no time limit."""

    max_steps = None

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        return Outcome(state, outcome.rewards, torch.zeros_like(outcome.terminated))


class Growing(Walk):
    """The state gets another part on the way."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        outcome = super().step(state, actions, streams)
        return replace(outcome, state=outcome.state | {"more": outcome.rewards})


class Broken(Walk):
    """Raises in the middle."""

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        raise ZeroDivisionError("division by zero")


class Pictureless(Walk):
    """Says that it can be drawn."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 4}


class Mixed(Walk):
    """Has both kinds of actions."""

    def __init__(self) -> None:
        super().__init__()
        self.action_spaces = (Discrete(2), *self.action_spaces[1:])


class Picture(Walk):
    """Sees a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = Box(0, 255, (8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        (Counting, "keeps nothing in self"),
        (InPlace, "changes the state"),
        (Global, "than that of its seed alone"),
        (Crowded, "than that of its seed alone"),
        (Wide, "observe gives .* at index 0, where its space goes from -4.0 to 4.0"),
        (Doubles, r"rewards gives torch.float64 \(4, 3\); expected float32 \(4, 3\)"),
        (Generous, "is out is paid"),
        (Haunted, "that is out changes something"),
        (Lopsided, "own neighbours, or others'"),
        (Stuck, "leaves an agent that is alive no action"),
        (Endless, "give it a time limit"),
        (Growing, "expected the same tensors"),
        (Broken, "it raises ZeroDivisionError: division by zero"),
        (Pictureless, "pictures: NotImplementedError"),
        (Mixed, "action_spaces=.* are mixed"),
        (Picture, "observation_space=.* is no vector"),
    ],
)
def test_what_is_wrong_is_found(broken: Callable[[], Any], finding: str) -> None:
    with pytest.raises(ConformanceError, match=finding) as caught:
        check_game(broken())
    assert len(caught.value.findings) == 1


def test_a_row_that_says_something_else_than_its_class() -> None:
    row = replace(
        stmg_envs.game_spec("stmg/Penalty-v0"), spaces="continuous", task_args=(("k", -5), ("p", 1))
    )
    with pytest.raises(ConformanceError) as caught:
        check_game(row)
    assert [finding.split(";")[0] for finding in caught.value.findings] == [
        "task_args has k=-5, and the default of its class is 0.0",
        "task_args has p, which is no argument of its class",
        "its row says spaces='continuous', and its action spaces are (Discrete(3), Discrete(3))",
    ]
