"""Time of one STEER update epoch and one decision against the population size.

python -m benchmarks.population_update --rows 100
"""

from __future__ import annotations

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from baselines.algorithms.ppo import PPO
from baselines.algorithms.steer import SteerConfig, build_steer
from baselines.networks.policy import PolicySpec
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.population import Population
from baselines.training.rollout import Batch
from benchmarks.timing import median_ms
from stmg_envs.protocol import Streams

SPEC = PolicySpec(n=2, obs_dim=1, state_dim=None, action_width=3, discrete=True)


def random_batch(runs: int, rows: int) -> Batch:
    """A batch of a one-shot game with random actions and advantages."""
    shape = (runs, rows, SPEC.n)
    inputs = {
        "observation": torch.zeros(*shape, SPEC.obs_dim),
        "action_mask": torch.ones(*shape, SPEC.action_width, dtype=torch.bool),
        "priority": torch.arange(SPEC.n).expand(shape),
    }
    log_probs = torch.full(shape, -1.0986)
    alive = torch.ones(shape, dtype=torch.bool)
    actions = torch.randint(SPEC.action_width, shape)
    return Batch(
        inputs, actions, log_probs, torch.zeros(shape), torch.randn(shape), torch.randn(shape), alive
    )


def measure(runs: int, rows: int, repeats: int) -> tuple[float, float]:
    """Milliseconds of one update epoch and of one decision of a whole population."""
    config = SteerConfig(epochs=1)
    population = Population(lambda: build_steer(config, SPEC), range(runs))
    learner = PPO(config, population, ValueNormalizer(runs, SPEC.n, config.value_norm_beta))
    batch = random_batch(runs, rows)
    streams = Streams.from_seeds(range(runs))
    few = {name: value[:, :4] for name, value in batch.inputs.items()}
    noise = torch.zeros(runs, 4, SPEC.n, SPEC.action_width)
    update = median_ms(lambda: learner.update(batch, 0.0, streams), repeats)
    return update, median_ms(lambda: population.act(few, noise), repeats)


@click.command()
@click.option("--rows", default=100, show_default=True, help="samples per run")
@click.option("--repeats", default=10, show_default=True, help="timed calls, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads")
def main(rows: int, repeats: int, threads: int) -> None:
    """Print milliseconds per update epoch and per decision, in all and per run."""
    torch.set_num_threads(threads)
    title = f"STEER on a one-shot game, {rows} samples per run, {threads} threads"
    table = Table("runs", "epoch ms", "epoch ms per run", "decision ms (4 environments)", title=title)
    for runs in (1, 8, 32, 100):
        update, decision = measure(runs, rows, repeats)
        table.add_row(str(runs), f"{update:.1f}", f"{update / runs:.2f}", f"{decision:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
