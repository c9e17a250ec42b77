"""Whole timesteps of a native game and the policies that play it, which an accelerator runs as one."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.networks.policy import Inputs
from baselines.training.lane import Lane, Present, TimestepNoise
from baselines.training.population import Parameters, Population
from stmg_envs.protocol import Captured, GameVectorEnv


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
