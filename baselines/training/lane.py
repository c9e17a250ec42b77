"""Lanes of a rollout: environments that wait for the policy together, while those of other lanes step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from baselines.networks.policy import Decision, Inputs
from baselines.training.population import Parameters, Population, policy_inputs
from baselines.training.successors import successor_inputs
from stmg_envs.protocol import JointVectorEnv, Observations, may_ask, nested

TimestepNoise = Callable[[int], Tensor]
"""Decision noise of a timestep by its number, (K, B, n, action_width)."""


@nested
@dataclass(frozen=True)
class Present:
    """What the next decisions are made on, with leading axis K * B.

    Attributes:
        observations: the present ones.
        memory: what the policies remember, (K * B, n, memory_width).
        fresh: who has just entered the game, where policies remember, bool (K * B, n).
    """

    observations: Observations
    memory: Tensor
    fresh: Tensor

    def part(self, number: int, lanes: int) -> Present:
        """That of one lane."""
        rows = slice(number, None, lanes)
        observations = {name: x[rows] for name, x in self.observations.items()}
        return Present(observations, self.memory[rows], self.fresh[rows])


class Lane:
    """Plays the population in some environments and keeps what happened.

    Args:
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        population: K policies.
        present: what the first decisions are made on.
        exchanges: whether neighbour graphs are kept.
        parameters: of the policies; the population's by default.

    Attributes:
        inputs: of every timestep, (K, B, ...).
        columns: of every timestep `actions`, `log_probs`, `values`, `rewards`, `done`, `terminated` and
            `truncated` of each agent, `final_values`, `lost`, and `neighbors` where they are kept,
            (K, B, ...).
    """

    def __init__(
        self,
        env: JointVectorEnv,
        population: Population,
        present: Present,
        exchanges: bool,
        parameters: Parameters | None = None,
    ) -> None:
        self.env = env
        self.population = population
        self.parameters = parameters
        self.present = present
        self.exchanges = exchanges
        self._remembers = population.template.memory_width > 0
        self._none_lost = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        self.inputs: list[Inputs] = []
        self.columns: defaultdict[str, list[Tensor]] = defaultdict(list)

    def decide(self, noise: Tensor) -> None:
        """Decide on what was seen last, and have the environments begin to step."""
        inputs = self._inputs(self.present.observations)
        decision = self._act(inputs, noise)
        if self.exchanges:
            self._keep(neighbors=self.env.neighbors())
        self.env.send(decision.actions.flatten(0, 1))
        self.inputs.append(inputs)
        for name, x in zip(("actions", "log_probs", "values"), decision[:3], strict=True):
            self.columns[name].append(x)
        if decision.memory is not None:
            self.present = replace(self.present, memory=decision.memory.flatten(0, 1))

    def see(self, noise: TimestepNoise) -> None:
        """Wait for the environments, and keep what came of the decisions.

        Args:
            noise: of the decisions that agents who were cut off would have made next.
        """
        observations, rewards, terminated, truncated, info = self.env.receive()
        done = terminated | truncated
        self._keep(
            rewards=rewards,
            done=done,
            terminated=info["terminations"],
            truncated=info["truncations"],
            lost=info.get("lost", self._none_lost),
        )
        self.columns["final_values"].append(self._final_values(info, noise))
        memory, fresh = self.present.memory, self.present.fresh
        if self._remembers:
            ended = info["terminations"] | info["truncations"]
            fresh = done[:, None] | ended | ~self.present.observations["alive"]
            memory = torch.where(fresh.unsqueeze(-1), 0.0, memory)
        self.present = Present(observations, memory, fresh)

    def last_values(self, noise: Tensor) -> Tensor:
        """Values (K, B, n) of what was seen last."""
        return self._act(self._inputs(self.present.observations), noise).values

    def _keep(self, **rows: Tensor) -> None:
        """Put rows (K * B, ...) of a timestep into columns."""
        for name, x in rows.items():
            self.columns[name].append(x.view(self.population.size, -1, *x.shape[1:]))

    def _inputs(self, observations: Observations) -> Inputs:
        """Observations (K * B, ...) as inputs (K, B, ...) under the present order."""
        return policy_inputs(observations | self._remembered(), self.env.priority, self.population.size)

    def _remembered(self) -> dict[str, Tensor]:
        """What policies with memory read besides observations."""
        return {"memory": self.present.memory, "fresh": self.present.fresh} if self._remembers else {}

    def _final_values(self, info: dict[str, Any], noise: TimestepNoise) -> Tensor:
        """Values (K, B, n) of what truncated agents saw last; zeros if there are none.

        The next joint action is sampled for it, with noise of its own, so that each agent's value is of its
        subgame state there. The order is that of the episode.
        """
        timestep = len(self.inputs) - 1
        asks = self.env.truncates and may_ask(self.env.device)
        if not self.env.truncates or (asks and not bool(info["truncations"].any())):
            return torch.zeros_like(self.columns["values"][-1])
        priority = self.inputs[-1]["priority"].flatten(0, 1)
        final = successor_inputs(self.env.game, info) | self._remembered()
        inputs = policy_inputs(final, priority, self.population.size)
        return self._act(inputs, noise(timestep)).values

    def _act(self, inputs: Inputs, noise: Tensor) -> Decision:
        return self.population.act(inputs, noise, self.parameters)
