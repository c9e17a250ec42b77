"""Environment steps per second of training alone: a free environment, every algorithm, one seed.

    python -m benchmarks.training_speed --agents 2

The load is 20 environments x 200 steps per update, observations of 64 numbers, 10 actions, 5 epochs.
"""

from __future__ import annotations

import numpy as np
import rich_click as click
import torch
from gymnasium.spaces import Box, Discrete
from rich.console import Console
from rich.table import Table
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.registry import ALGORITHMS
from baselines.algorithms.spec import AlgorithmSpec
from baselines.networks.policy import PolicySpec
from baselines.training.memory import keep_freed_memory
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from benchmarks.timing import median_ms
from stmg_envs.protocol import Game, GameVectorEnv, Outcome, State, Streams

PPO_FAMILIES = [
    spec
    for spec in ALGORITHMS.values()
    if spec.name == spec.family and issubclass(spec.config_class, PPOConfig)
]
OBS_DIM, ACTIONS, NUM_ENVS, STEPS, EPOCHS = 64, 10, 20, 200, 5


class Free(Game):
    """A game that costs nothing: constant observations and rewards, no end before 200 steps.

    Args:
        n: number of agents.
    """

    max_steps = STEPS
    fully_observed = True

    def __init__(self, n: int) -> None:
        self.agents = tuple(f"agent_{i}" for i in range(n))
        self.action_spaces = tuple(Discrete(ACTIONS) for _ in self.agents)
        self.observation_space = Box(-1, 1, (OBS_DIM,), np.float32)
        self._observation = torch.linspace(-1, 1, n * OBS_DIM).view(1, n, OBS_DIM)

    def reset(self, streams: Streams) -> State:
        return {"clock": torch.zeros_like(streams.keys)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        rewards = (actions == 0).float()
        return Outcome(state, rewards, torch.zeros_like(state["clock"], dtype=torch.bool))

    def observe(self, state: State) -> Tensor:
        return self._observation.expand(len(state["clock"]), -1, -1)


def steps_per_second(spec: AlgorithmSpec, agents: int, runs: int, repeats: int) -> float:
    """Environment steps per second and run of collecting and updating together."""
    config = spec.config_class(
        **{"num_envs": NUM_ENVS, "rollout_steps": STEPS, "epochs": EPOCHS, **spec.fixed}
    )
    sizes = PolicySpec(agents, OBS_DIM, None, ACTIONS, discrete=True, fully_observed=True)
    population = Population(lambda: spec.build(config, sizes), range(runs))
    learner = spec.learner(config, population, agents)
    env = GameVectorEnv(Free(agents), runs * NUM_ENVS, validate=False)
    noise = decision_noise(agents, ACTIONS, discrete=True)
    collector = learner.collector(env, noise)
    collector.observations, _ = env.reset(seed=0)
    streams = Streams.from_seeds(range(runs))

    def update() -> None:
        batch, _ = collector.collect(streams, 0.0)
        learner.update(batch, 0.0, streams)

    return 1e3 * NUM_ENVS * STEPS / median_ms(update, repeats, warmup=1)


@click.command()
@click.option("--agents", default=2, show_default=True, help="agents")
@click.option("--runs", default=1, show_default=True, help="population size")
@click.option("--repeats", default=3, show_default=True, help="timed updates, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads")
def main(agents: int, runs: int, repeats: int, threads: int) -> None:
    """Print environment steps per second and run for every algorithm."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    table = Table(
        "algorithm", "environment steps/s per run", title=f"{agents} agents, {runs} runs, {threads} threads"
    )
    for spec in PPO_FAMILIES:
        table.add_row(spec.name, f"{steps_per_second(spec, agents, runs, repeats):,.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
