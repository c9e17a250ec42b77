"""Differential reward interaction (DRI): neighbours' average rewards reshape one's own where they conflict.

"DRIMA: Differential Reward Interaction for Cooperative Multi-Agent Reinforcement Learning", equation 2 and
algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.arguments import is_number, require_choice, require_flag, shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import PriorityParallelEnv, reward_of
from wrappers.priority import WithPriority

Mode = Literal["dri", "naive"]

ROUNDING = 1e-6
"""Differences below this share of the numbers they come from are rounding, and count as 0."""


@dataclass(frozen=True)
class Reshaped:
    """What the rule makes of rewards, each (B, n).

    Attributes:
        rewards: own rewards, or the neighbourhood's mean where agents are in conflict.
        baselines: mean of the running averages over the neighbourhood, mubar; rewards minus these are the
            differential rewards.
        conflicts: whether own and neighbours' rewards lie on different sides of the baseline, bool.
    """

    rewards: Tensor
    baselines: Tensor
    conflicts: Tensor

    @property
    def differential(self) -> Tensor:
        """Rewards minus baselines."""
        return self.rewards - self.baselines


def reshape_rewards(rewards: Tensor, averages: Tensor, neighbors: Tensor, mode: Mode = "dri") -> Reshaped:
    """The rule, for a batch of joint rewards.

    Agent i with neighbourhood N (itself and its neighbours) keeps its reward if
    sgn(r_i - mubar_i) = sgn(rbar_-i - mubar_i), where mubar_i is the mean of running averages over N and
    rbar_-i the mean reward of its neighbours; otherwise, in conflict, it gets the mean reward over N. The
    sign of 0 differs from both others. Who has no neighbours keeps its reward.

    Args:
        rewards: original rewards, float (B, n).
        averages: running averages of the original rewards, float (n,) or (B, n).
        neighbors: neighbour graphs, bool (B, n, n), False on the diagonal.
        mode: "dri", or "naive", which always takes the neighbourhood's mean.
    """
    others = neighbors.to(rewards.dtype)
    count = others.sum(dim=-1)
    averages = averages.expand_as(rewards)

    def over_neighbors(x: Tensor) -> Tensor:
        return (others @ x.unsqueeze(-1)).squeeze(-1)

    baselines = (averages + over_neighbors(averages)) / (count + 1)
    from_others = over_neighbors(rewards)
    mean_reward = (rewards + from_others) / (count + 1)
    own_side = _side(rewards, baselines)
    conflicts = (own_side != _side(from_others / count.clamp(min=1), baselines)) & (count > 0)
    averaged = conflicts if mode == "dri" else torch.ones_like(conflicts)
    return Reshaped(torch.where(averaged, mean_reward, rewards), baselines, conflicts)


def _side(x: Tensor, baselines: Tensor) -> Tensor:
    """The sign of x - baselines, 0 where they are equal but for rounding."""
    difference = x - baselines
    return difference.sign() * (difference.abs() > ROUNDING * torch.maximum(x.abs(), baselines.abs()))


class DifferentialReward(PriorityParallelEnv):
    """Any PettingZoo parallel environment with reshaped rewards, for anyone's algorithm.

    Each step's neighbour graph is the environment's before the step, among the agents that take it, or fully
    connected where the environment has none. Running averages go on from episode to episode. Infos say
    each agent's original `reward` and whether it was in `conflict`. Priority, graph and global state are
    those of the environment.

    Args:
        parallel_env: the environment.
        mode: "dri", or "naive" for the neighbourhood's mean always.
        step_size: alpha of the running averages, in (0, 1], or a function of the number of steps so far.
        differential: pay rewards minus baselines, as average-reward learners want them, instead of
            rewards, as discounted learners do.

    Raises:
        InvalidArgumentError: for an unknown mode or a step size out of range.
    """

    def __init__(
        self,
        parallel_env: ParallelEnv[str, Any, Any],
        mode: Mode = "dri",
        step_size: float | Callable[[int], float] = 0.01,
        differential: bool = True,
    ) -> None:
        require_choice("mode", mode, get_args(Mode))
        require_flag("differential", differential)
        if not callable(step_size) and not (is_number(step_size) and 0 < step_size <= 1):
            raise InvalidArgumentError(
                f"step_size={shown(step_size)} is out of range; expected 0 < step_size <= 1"
            )
        has_priority = isinstance(parallel_env, PriorityParallelEnv)
        self.env: PriorityParallelEnv = parallel_env if has_priority else WithPriority(parallel_env)
        self.mode: Mode = mode
        self.step_size = step_size
        self.differential = differential
        self.metadata = self.env.metadata
        self.render_mode = self.env.render_mode
        self.possible_agents = self.env.possible_agents
        self.state_space = self.env.state_space
        self.averages = torch.zeros(len(self.possible_agents), dtype=torch.float64)
        self._steps = 0

    @property
    def agents(self) -> list[str]:  # type: ignore[override]
        return self.env.agents

    @property
    def priority(self) -> tuple[str, ...]:
        return self.env.priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self.env.priority = priority

    @property
    def unwrapped(self) -> ParallelEnv[str, Any, Any]:
        return self.env.unwrapped

    def observation_space(self, agent: str) -> Any:
        return self.env.observation_space(agent)

    def action_space(self, agent: str) -> Any:
        return self.env.action_space(agent)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: dict[str, Any]) -> Any:
        acting = list(self.env.agents)
        present = torch.tensor([agent in acting for agent in self.possible_agents])
        graph = torch.as_tensor(self.env.neighbors())[None] & present[:, None] & present
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        paid = torch.zeros(1, len(self.possible_agents), dtype=torch.float64)
        for agent in acting:
            paid[0, self.possible_agents.index(agent)] = reward_of(agent, rewards)
        alpha = self.step_size(self._steps) if callable(self.step_size) else self.step_size
        result = reshape_rewards(paid, self.averages, graph, self.mode)
        self.averages = torch.where(present, self.averages + alpha * (paid[0] - self.averages), self.averages)
        self._steps += 1
        table = (result.differential if self.differential else result.rewards)[0]
        reshaped, told = {}, {agent: dict(info) for agent, info in infos.items()}
        for agent in acting:
            index = self.possible_agents.index(agent)
            reshaped[agent] = float(table[index])
            told.setdefault(agent, {}).update(
                reward=float(paid[0, index]), conflict=bool(result.conflicts[0, index])
            )
        return observations, reshaped, terminations, truncations, told

    def neighbors(self) -> NDArray[np.bool_]:
        return self.env.neighbors()

    def render(self) -> Any:
        return self.env.render()

    def state(self) -> Any:
        return self.env.state()

    def close(self) -> None:
        self.env.close()
