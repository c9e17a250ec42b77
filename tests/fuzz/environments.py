"""Environments of others that do one thing wrong, behind every view on them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, Text
from pettingzoo import ParallelEnv

from fuzz.judge import Case, Kind
from fuzz.mutations import Rng, pick
from stmg_envs.protocol import ParallelVectorEnv, TurnStreamEnv
from wrappers import DifferentialReward, WithPriority, spatio_temporal

AGENTS = ("a", "b")
WORDS: dict[str, tuple[Any, ...]] = {
    "observation": (
        None,
        "x",
        [1.0, 2.0],
        float("nan"),
        {"a": 1},
        [[0.5]],
        1j,
        np.array([np.inf]),
        np.zeros(3),
    ),
    "reward": (None, "x", float("nan"), float("inf"), 1j, [1.0], np.zeros(2), {}),
    "end": ("yes", 2.5, np.zeros(2), [], None),
    "info": (None, "x", [], 3),
    "mask": (None, np.zeros(2), [1], "ab", [1, 2, 3], [[1, 1]], [float("nan"), 1.0], {}),
    "table": (None, "x", [], 3, {}),
    "agents": (None, "a", ["c"], ["a", "a"], [1], {"a": 1, "c": 2}),
    "result": (None, (), ({},), 7, "abcde"),
    "space": (None, "x", Discrete(2), MultiBinary(2), Text(3), Box(-np.inf, np.inf, (1,))),
}
"""What stands in the place of something else."""


class Game(ParallelEnv[str, Any, Any]):
    """Two agents that see the clock and play three steps, until something goes wrong.

    Args:
        fault: what goes wrong; nothing by default.
        wrong: what stands there instead.
        when: in which timestep; 0 is the reset.
    """

    metadata: dict[str, Any] = {"name": "faulty", "render_modes": []}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self, fault: str = "", wrong: Any = None, when: int = 0) -> None:
        self.fault, self.wrong, self.when = fault, wrong, when
        self.possible_agents: Any = wrong if fault == "possible agents" else list(AGENTS)
        self.agents: Any = []
        self.clock = 0

    def observation_space(self, agent: str) -> Any:
        return self.wrong if self.fault == "observation space" else Box(0.0, 9.0, (1,), np.float32)

    def action_space(self, agent: str) -> Any:
        return self.wrong if self.fault == "action space" else Discrete(2)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.clock, self.agents = 0, list(AGENTS)
        return self._told(("observations", "infos"))

    def step(self, actions: Any) -> Any:
        self.clock += 1
        return self._told(("observations", "rewards", "terminations", "truncations", "infos"))

    def _told(self, names: tuple[str, ...]) -> Any:
        over = self.clock == 3
        tables: dict[str, Any] = {
            "observations": {agent: np.full(1, self.clock, np.float32) for agent in AGENTS},
            "rewards": dict.fromkeys(AGENTS, 1.0),
            "terminations": dict.fromkeys(AGENTS, over),
            "truncations": dict.fromkeys(AGENTS, False),
            "infos": {agent: {"action_mask": np.ones(2, np.int8)} for agent in AGENTS},
        }
        self.agents = [] if over else list(AGENTS)
        if self.clock != self.when:
            return tuple(tables[name] for name in names)
        if self.fault == "agents":
            self.agents = self.wrong
        elif self.fault == "result":
            return self.wrong
        elif self.fault == "mask":
            tables["infos"]["b"]["action_mask"] = self.wrong
        elif self.fault in tables:
            tables[self.fault] = self.wrong
        elif self.fault.startswith("one of "):
            tables[self.fault.removeprefix("one of ")]["b"] = self.wrong
        return tuple(tables[name] for name in names)


FAULTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "possible agents": ("agents", (0,)),
    "observation space": ("space", (0,)),
    "action space": ("space", (0,)),
    "agents": ("agents", (0, 1)),
    "result": ("result", (0, 1)),
    "mask": ("mask", (0, 1)),
    "observations": ("table", (0, 1)),
    "rewards": ("table", (1,)),
    "terminations": ("table", (1,)),
    "truncations": ("table", (1,)),
    "infos": ("table", (0, 1)),
    "one of observations": ("observation", (0, 1)),
    "one of rewards": ("reward", (1,)),
    "one of terminations": ("end", (1,)),
    "one of truncations": ("end", (1,)),
    "one of infos": ("info", (0, 1)),
}
"""What can go wrong: what stands there instead, and when."""


def turns(env: Game) -> Any:
    played = spatio_temporal(env)
    played.reset(seed=0)
    seen = []
    for _ in range(12):
        if not played.agents:
            break
        observation, reward, ended, cut, _ = played.last()
        seen.append((played.agent_selection, _plain(observation), reward, ended, cut))
        played.step(None if ended or cut else 1)
    return seen


def stream(env: Game) -> Any:
    played = TurnStreamEnv(WithPriority(env))
    observation, _ = played.reset(seed=0)
    seen: list[Any] = [_plain(observation)]
    for _ in range(6):
        observation, reward, ended, cut, _ = played.step(1)
        seen.append((_plain(observation), reward, ended, cut))
    return seen


def batch(env: Game) -> Any:
    return _steps(ParallelVectorEnv(lambda: Game(env.fault, env.wrong, env.when), 1))


def differential(env: Game) -> Any:
    played = DifferentialReward(env)
    seen = [_plain(played.reset(seed=0)[0])]
    for _ in range(3):
        observations, rewards, ended, cut, _ = played.step(dict.fromkeys(played.agents, 1))
        ends = [(bool(ended.get(agent)), bool(cut.get(agent))) for agent in AGENTS]
        seen.append((_plain(observations), dict(rewards), ends, list(played.agents)))
    return seen


def _steps(env: Any) -> Any:
    seen = [_plain(env.reset(seed=0)[0])]
    for _ in range(3):
        told = env.step(torch.ones(1, 2, dtype=torch.int64))
        seen.append(_plain(told[0]) | {str(i): value.tolist() for i, value in enumerate(told[1:4])})
    return seen


def _plain(table: Any) -> Any:
    return {name: np.asarray(value).tolist() for name, value in table.items()}


VIEWS: dict[str, Callable[[Game], Any]] = {
    "turns": turns,
    "stream": stream,
    "batch": batch,
    "differential rewards": differential,
}


@functools.cache
def sound(view: str) -> Any:
    """What a view shows of the game without a fault."""
    return VIEWS[view](Game())


def faulty(rng: Rng, folder: Path) -> Case:
    """A view on a game with one fault."""
    fault = pick(rng, list(FAULTS))
    kind, times = FAULTS[fault]
    view, wrong, when = pick(rng, list(VIEWS)), pick(rng, WORDS[kind]), pick(rng, times)
    return Case(
        f"{view}: {fault}={wrong!r} in step {when}",
        lambda: VIEWS[view](Game(fault, wrong, when)),
        sound(view),
    )


ENVIRONMENTS: dict[str, Kind] = {"environments": faulty}
