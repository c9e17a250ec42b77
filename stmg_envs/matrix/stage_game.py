"""Finite games as a graph of matrix games: one class runs every member of the family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import shown
from stmg_envs.equilibria import StageTable, optimal_stage_returns, stackelberg_returns
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix.rendering import render_ansi, render_rgb
from stmg_envs.protocol.game import Game, Outcome, State
from stmg_envs.protocol.randomness import Streams

Target = Literal["global", "stackelberg"]


def check_target(target: object) -> Target:
    """Raise InvalidArgumentError unless the target is "global" or "stackelberg"."""
    if not isinstance(target, str) or target not in ("global", "stackelberg"):
        raise InvalidArgumentError(f"target={shown(target)} is unknown; expected 'global' or 'stackelberg'")
    return cast(Target, target)


class StageGame(Game):
    """A game whose state is a stage; every stage is a matrix game.

    A joint action at stage s pays `payoffs[s, :, a1, ..., an]` and leads to stage
    `successors[s, a1, ..., an]`, or ends the episode where that is -1.

    Args:
        table: payoffs (S, n, A1, ..., An) and successors (S, A1, ..., An); the first stage is 0.
        observations: float (S, obs_dim), what every agent sees at each stage.
        agents: names; `agent_0`, `agent_1`, ... by default.
        action_names: names of each agent's actions, for rendering.
        target: what `optimal_returns` means: the joint play with the largest sum of returns, or the
            Stackelberg equilibrium of the priority in force.
        max_steps: time limit, for games without an end of their own.

    Raises:
        InvalidArgumentError: if shapes disagree or a payoff is not finite.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 2,
    }

    fully_observed = True

    def __init__(
        self,
        table: StageTable,
        observations: NDArray[np.floating[Any]],
        agents: Sequence[str] | None = None,
        action_names: Sequence[Sequence[str]] | None = None,
        target: Target = "global",
        max_steps: int | None = None,
    ) -> None:
        payoffs = table.payoffs
        counts = payoffs.shape[2:]
        n = payoffs.shape[1]
        self.table = table
        self.target = target
        self.agents = tuple(agents) if agents is not None else tuple(f"agent_{i}" for i in range(n))
        default_names = [[str(action) for action in range(1, count + 1)] for count in counts]
        self.action_names = tuple(map(tuple, default_names if action_names is None else action_names))
        if len(self.agents) != n or tuple(map(len, self.action_names)) != counts:
            raise InvalidArgumentError(
                f"agents={self.agents} and action_names={self.action_names} do not fit payoffs of shape "
                f"{payoffs.shape}; expected {n} agents with {counts} actions"
            )
        self.action_spaces = tuple(Discrete(count) for count in counts)
        self.observation_space = Box(0.0, 1.0, (observations.shape[1],), np.float32)
        self.max_steps = max_steps
        self._observations = torch.as_tensor(observations, dtype=torch.float32)
        joint = int(np.prod(counts))
        self._joint = joint
        # (S * J, n): one row gather pays all agents.
        self._payoffs = torch.as_tensor(
            np.moveaxis(payoffs.reshape(payoffs.shape[0], n, joint), 1, 2).reshape(-1, n),
            dtype=torch.float32,
        )
        self._successors = torch.as_tensor(table.successors.reshape(-1), dtype=torch.int64)
        strides = np.cumprod((1, *counts[:0:-1]))[::-1]
        self._strides = torch.as_tensor(strides.copy(), dtype=torch.int64)

    def reset(self, streams: Streams) -> State:
        zero = torch.zeros_like(streams.keys)
        return {"stage": zero, "played_stage": zero, "joint_action": zero - 1}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        device = actions.device
        if self._payoffs.device != device:
            self._to(device)
        joint = (actions * self._strides).sum(dim=-1)
        entry = state["stage"] * self._joint + joint
        successor = self._successors[entry]
        terminated = successor < 0
        stage = state["stage"]
        following = torch.where(terminated, stage, successor)
        return Outcome(
            {"stage": following, "played_stage": stage, "joint_action": joint},
            self._payoffs[entry],
            terminated,
        )

    def observe(self, state: State) -> Tensor:
        stage = state["stage"]
        if self._observations.device != stage.device:
            self._to(stage.device)
        rows = self._observations[stage]
        return rows[:, None, :].expand(-1, self.n, -1)

    def optimal_returns(self, priority: tuple[int, ...]) -> NDArray[np.float64] | None:
        if self.max_steps is not None:
            return None
        if self.target == "global":
            return optimal_stage_returns(self.table)
        return stackelberg_returns(self.table, priority)[None]

    def return_scale(self) -> NDArray[np.float64] | float:
        return self.table.scales()[0] if self.max_steps is None else 0.0

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        stage, joint = int(state["played_stage"][0]), int(state["joint_action"][0])
        chosen = None if joint < 0 else tuple(map(int, np.unravel_index(joint, self.action_counts)))
        draw = render_ansi if mode == "ansi" else render_rgb
        return draw(self, stage, chosen, priority)

    def _to(self, device: torch.device) -> None:
        for name in ("_observations", "_payoffs", "_successors", "_strides"):
            setattr(self, name, getattr(self, name).to(device))
