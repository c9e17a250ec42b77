"""Lanes of a rollout: environments that wait for the policy together, while those of other lanes step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from baselines.networks.policy import Decision, Inputs
from baselines.training.population import Parameters, Population, policy_inputs
from baselines.training.successors import successor_inputs
from stmg_envs.protocol import (
    Captured,
    GameVectorEnv,
    JointVectorEnv,
    Observations,
    interleave,
    interleave_named,
    may_ask,
    nested,
    next_ready,
)

TimestepNoise = Callable[[int], Tensor]
"""Decision noise of a timestep by its number, (K, B, n, action_width)."""


@nested
@dataclass(frozen=True)
class Present:
    """What the next decisions are made on, with leading axis K * B.

    Attributes:
        observations: the present ones.
        memory: what the policies remember, (K * B, n, memory_width).
        fresh: who has just entered the game, bool (K * B, n).
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
        ended = info["terminations"] | info["truncations"]
        self._keep(
            rewards=rewards,
            done=done,
            terminated=info["terminations"],
            truncated=info["truncations"],
            lost=info.get("lost", torch.zeros_like(done)),
        )
        self.columns["final_values"].append(self._final_values(info, noise))
        fresh = done[:, None] | ended | ~self.present.observations["alive"]
        memory = torch.where(fresh.unsqueeze(-1), 0.0, self.present.memory)
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
        if not self.present.memory.shape[-1]:
            return {}
        return {"memory": self.present.memory, "fresh": self.present.fresh}

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


class Timestep:
    """A timestep of all environments of a native game, which an accelerator runs as one.

    Args:
        env: the environments.
        population: who plays in them.
        exchanges: whether neighbour graphs are kept.
    """

    def __init__(self, env: GameVectorEnv, population: Population, exchanges: bool) -> None:
        self.env, self.population, self.exchanges = env, population, exchanges
        self._captured = Captured(self._play, env.device, population.parameters)

    @property
    def records(self) -> bool:
        """Whether timesteps run as one here."""
        return self._captured.records

    def __call__(
        self, present: Present, noise: Tensor, final_noise: Tensor
    ) -> tuple[Inputs, dict[str, Tensor], Present]:
        """Decide, step, and see.

        Args:
            present: what is seen now.
            noise: of the decisions.
            final_noise: of the decisions that agents who were cut off would have made next.

        Returns:
            Inputs and columns of the timestep, and what is seen then.
        """
        with torch.no_grad():
            snapshot, *played = self._captured(self.env.episodes.snapshot(), present, noise, final_noise)
        self.env.episodes.restore(snapshot)
        inputs, columns, present = played
        return inputs, columns, present

    def _play(
        self,
        parameters: Parameters,
        snapshot: dict[str, Tensor],
        present: Present,
        noise: Tensor,
        final_noise: Tensor,
    ) -> tuple[dict[str, Tensor], Inputs, dict[str, Tensor], Present]:
        self.env.episodes.restore(snapshot)
        lane = Lane(self.env, self.population, present, self.exchanges, parameters)
        lane.decide(noise)
        lane.see(lambda _: final_noise)
        columns = {name: only for name, (only,) in lane.columns.items()}
        return self.env.episodes.snapshot(), lane.inputs[0], columns, lane.present


class RecordedLane(Lane):
    """Plays whole timesteps as one.

    Args:
        timestep: what plays them; the lane has all of its environments.
        present: what the first decisions are made on.
    """

    def __init__(self, timestep: Timestep, present: Present) -> None:
        super().__init__(timestep.env, timestep.population, present, timestep.exchanges)
        self._timestep = timestep
        self._noise = torch.empty(0)

    def decide(self, noise: Tensor) -> None:
        self._noise = noise

    def see(self, noise: TimestepNoise) -> None:
        inputs, columns, self.present = self._timestep(self.present, self._noise, noise(len(self.inputs)))
        self.inputs.append(inputs)
        for name, x in columns.items():
            self.columns[name].append(x)


def lanes_of(
    env: JointVectorEnv, population: Population, present: Present, exchanges: bool, timestep: Timestep | None
) -> list[Lane]:
    """The lanes of environments, one for all if runs cannot be divided among them.

    Args:
        env: the environments.
        population: K policies.
        present: what the first decisions are made on.
        exchanges: whether neighbour graphs are kept.
        timestep: what plays timesteps as one, if these can be.
    """
    if timestep is not None and timestep.records:
        return [RecordedLane(timestep, present)]
    envs = env.lanes
    if env.num_envs // population.size % len(envs):
        envs = (env,)
    return [
        Lane(lane, population, present.part(number, len(envs)), exchanges) for number, lane in enumerate(envs)
    ]


def play(lanes: Sequence[Lane], steps: int, noise: TimestepNoise, final_noise: TimestepNoise) -> Tensor:
    """Timesteps of all lanes; while the policy decides for one, the others step.

    A lane goes on as soon as its step is over, whatever the others do; they change none of its numbers.

    Args:
        lanes: L lanes.
        steps: T.
        noise: of the decisions, and in place T for the values at the end.
        final_noise: for the values of what agents saw who were cut off in a timestep.

    Returns:
        Values (K, B, n) of what was seen last.
    """
    stride = len(lanes)

    def noise_of(number: int, timestep: int) -> Tensor:
        return noise(timestep)[:, number::stride]

    def final_noise_of(number: int) -> TimestepNoise:
        return lambda timestep: final_noise(timestep)[:, number::stride]

    for number, lane in enumerate(lanes):
        lane.decide(noise_of(number, 0))
    playing = list(range(stride))
    while playing:
        number = playing.pop(next_ready([lanes[number].env for number in playing]))
        lanes[number].see(final_noise_of(number))
        done = len(lanes[number].inputs)
        if done < steps:
            lanes[number].decide(noise_of(number, done))
            playing.append(number)
    values = [lane.last_values(noise_of(number, steps)) for number, lane in enumerate(lanes)]
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
