"""Lanes of a rollout: environments that wait for the policy together, while those of other lanes step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from baselines.networks.policy import Inputs
from baselines.training.population import Population, policy_inputs
from stmg_envs.protocol import JointVectorEnv, Observations, interleave, interleave_named, next_ready


@dataclass(frozen=True)
class Present:
    """What the next decisions are made on, with leading axis K * B.

    Attributes:
        observations: the present ones.
        memory: what the policies remember, (K * B, n, memory_width).
        fresh: whose episodes have just begun, bool (K * B,).
    """

    observations: Observations
    memory: Tensor
    fresh: Tensor

    def part(self, number: int, lanes: int) -> Present:
        """That of one lane."""
        rows = slice(number, None, lanes)
        observations = {name: x[rows] for name, x in self.observations.items()}
        return Present(observations, self.memory[rows], self.fresh[rows])


def joined(parts: Sequence[Present]) -> Present:
    """What lanes have, as the whole batch's."""
    return Present(
        interleave_named([part.observations for part in parts]),
        interleave([part.memory for part in parts]),
        interleave([part.fresh for part in parts]),
    )


class Lane:
    """Plays the population in some environments and keeps what happened.

    Args:
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        population: K policies.
        present: what the first decisions are made on.
        exchanges: whether neighbour graphs are kept.

    Attributes:
        inputs: of every timestep, (K, B, ...).
        columns: of every timestep `actions`, `log_probs`, `values`, `rewards`, `terminated`, `truncated`,
            `final_values`, `lost`, and `neighbors` where they are kept, (K, B, ...).
    """

    def __init__(
        self, env: JointVectorEnv, population: Population, present: Present, exchanges: bool
    ) -> None:
        self.env = env
        self.population = population
        self.present = present
        self.exchanges = exchanges
        self.inputs: list[Inputs] = []
        self.columns: defaultdict[str, list[Tensor]] = defaultdict(list)
        self._noise = torch.empty(0)

    def decide(self, noise: Tensor) -> None:
        """Decide on what was seen last, and have the environments begin to step."""
        inputs = self._inputs(self.present.observations, self.env.priority)
        decision = self.population.act(inputs, noise)
        if self.exchanges:
            self._keep(neighbors=self.env.neighbors())
        self.env.send(decision.actions.flatten(0, 1))
        self.inputs.append(inputs)
        for name, x in zip(("actions", "log_probs", "values"), decision[:3], strict=True):
            self.columns[name].append(x)
        if decision.memory is not None:
            seen = self.present
            self.present = Present(seen.observations, decision.memory.flatten(0, 1), seen.fresh)
        self._noise = noise

    def see(self) -> None:
        """Wait for the environments, and keep what came of the decisions."""
        observations, rewards, terminated, truncated, info = self.env.receive()
        done = terminated | truncated
        self._keep(
            rewards=rewards,
            terminated=terminated,
            truncated=truncated,
            lost=info.get("lost", torch.zeros_like(done)),
        )
        self.columns["final_values"].append(self._final_values(info["final"], truncated))
        self.present = Present(observations, self.present.memory * ~done[:, None, None], done)

    def last_values(self, noise: Tensor) -> Tensor:
        """Values (K, B, n) of what was seen last."""
        inputs = self._inputs(self.present.observations, self.env.priority)
        return self.population.act(inputs, noise).values

    def _keep(self, **rows: Tensor) -> None:
        """Put rows (K * B, ...) of a timestep into columns."""
        for name, x in rows.items():
            self.columns[name].append(x.view(self.population.size, -1, *x.shape[1:]))

    def _inputs(self, observations: Observations, priority: Tensor) -> Inputs:
        """Observations (K * B, ...), with what the policies remember, as inputs (K, B, ...)."""
        remembered = {}
        if self.present.memory.shape[-1]:
            remembered = {"memory": self.present.memory, "fresh": self.present.fresh}
        return policy_inputs(observations | remembered, priority, self.population.size)

    def _final_values(self, final: Observations, truncated: Tensor) -> Tensor:
        """Values (K, B, n) of the last observations of truncated episodes; zeros if there are none.

        The next joint action is sampled for the last observation, so that each agent's value is of
        its subgame state there. The order is that of the episode that has ended.
        """
        if self.env.device.type == "cpu" and not bool(truncated.any()):
            return torch.zeros_like(self.columns["values"][-1])
        priority = self.inputs[-1]["priority"].flatten(0, 1)
        return self.population.act(self._inputs(final, priority), self._noise).values


def lanes_of(env: JointVectorEnv, population: Population, present: Present, exchanges: bool) -> list[Lane]:
    """The lanes of environments, one for all if runs cannot be divided among them; arguments of `Lane`."""
    envs = env.lanes
    if env.num_envs // population.size % len(envs):
        envs = (env,)
    return [
        Lane(lane, population, present.part(number, len(envs)), exchanges) for number, lane in enumerate(envs)
    ]


def play(lanes: Sequence[Lane], noise: Tensor) -> Tensor:
    """Timesteps of all lanes; while the policy decides for one, the others step.

    A lane goes on as soon as its step is over, whatever the others do; they change none of its numbers.

    Args:
        lanes: L lanes.
        noise: of the decisions, and for the values at the end, (K, T + 1, B, n, action_width).

    Returns:
        Values (K, B, n) of what was seen last.
    """
    steps, stride = noise.shape[1] - 1, len(lanes)
    for number, lane in enumerate(lanes):
        lane.decide(noise[:, 0, number::stride])
    playing = list(range(stride))
    while playing:
        number = playing.pop(next_ready([lanes[number].env for number in playing]))
        lanes[number].see()
        done = len(lanes[number].inputs)
        if done < steps:
            lanes[number].decide(noise[:, done, number::stride])
            playing.append(number)
    values = [lane.last_values(noise[:, steps, number::stride]) for number, lane in enumerate(lanes)]
    return interleave(values, dim=1)


def joined_columns(lanes: Sequence[Lane]) -> dict[str, Tensor]:
    """The columns of all lanes as the whole batch's, (K, T, B, ...)."""
    return {
        name: interleave([torch.stack(lane.columns[name], dim=1) for lane in lanes], dim=2)
        for name in lanes[0].columns
    }


def joined_inputs(lanes: Sequence[Lane]) -> Inputs:
    """The inputs of all lanes as the whole batch's, (K, B, T, ...): rows of an environment stand together."""
    return {
        name: interleave([torch.stack([seen[name] for seen in lane.inputs], dim=2) for lane in lanes], dim=1)
        for name in lanes[0].inputs[0]
    }
