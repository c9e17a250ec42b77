"""All lanes of a rollout: how they take turns, and what they kept as the whole batch's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from baselines.networks.policy import Inputs
from baselines.training.lane import Lane, Present, TimestepNoise
from baselines.training.population import Population
from baselines.training.recorded_lane import RecordedLane, Timestep
from stmg_envs.protocol import JointVectorEnv, interleave, interleave_named, next_ready


def joined(parts: Sequence[Present]) -> Present:
    """What lanes have, as the whole batch's."""
    return Present(
        interleave_named([part.observations for part in parts]),
        interleave([part.memory for part in parts]),
        interleave([part.fresh for part in parts]),
    )


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
