"""Time of one update epoch and of one joint decision of whole populations, for every algorithm.

python -m benchmarks.population_update --runs 1,8,32
python -m benchmarks.population_update --runs 1,32,256 --device cuda
"""

from __future__ import annotations

from collections.abc import Callable

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.registry import ALGORITHMS
from baselines.algorithms.spec import AlgorithmSpec
from baselines.networks.policy import PolicySpec
from baselines.training.memory import keep_freed_memory
from baselines.training.population import Population
from baselines.training.rollout import Batch
from benchmarks.timing import median_ms
from stmg_envs.protocol import Streams

PPO_FAMILIES = [
    spec
    for spec in ALGORITHMS.values()
    if spec.name == spec.family and issubclass(spec.config_class, PPOConfig)
]
SPEC = PolicySpec(n=2, obs_dim=1, state_dim=None, action_width=3, discrete=True, fully_observed=True)
NUM_ENVS = 4


def random_batch(runs: int, rows: int, device: str) -> Batch:
    """A batch of a one-shot game with random actions and advantages."""
    shape = (runs, rows, SPEC.n)
    inputs = {
        "observation": torch.zeros(*shape, SPEC.obs_dim, device=device),
        "action_mask": torch.ones(*shape, SPEC.action_width, dtype=torch.bool, device=device),
        "priority": torch.arange(SPEC.n, device=device).expand(shape),
    }
    log_probs = torch.full(shape, -1.0986, device=device)
    alive = torch.ones(shape, dtype=torch.bool, device=device)
    actions = torch.randint(SPEC.action_width, shape, device=device)
    advantages, returns = torch.randn(shape, device=device), torch.randn(shape, device=device)
    return Batch(inputs, actions, log_probs, torch.zeros_like(log_probs), advantages, returns, alive)


def finished(call: Callable[[], object], device: str) -> Callable[[], None]:
    """The call, and waiting until the device has done what it asked for."""

    def run() -> None:
        call()
        if device != "cpu":
            torch.cuda.synchronize(device)

    return run


def measure(spec: AlgorithmSpec, runs: int, rows: int, repeats: int, device: str) -> tuple[float, float]:
    """Milliseconds of one update epoch and of one decision of a whole population."""
    config = spec.config_class(**{"epochs": 1, **spec.fixed})
    population = Population(lambda: spec.build(config, SPEC), range(runs), device)
    learner = spec.learner(config, population, SPEC.n)
    batch = random_batch(runs, rows, device)
    streams = Streams.from_seeds(range(runs), device)
    few = {name: value[:, :NUM_ENVS] for name, value in batch.inputs.items()}
    noise = torch.zeros(runs, NUM_ENVS, SPEC.n, SPEC.action_width, device=device)
    update = median_ms(finished(lambda: learner.update(batch, 0.0, streams), device), repeats)
    return update, median_ms(finished(lambda: population.act(few, noise), device), repeats)


@click.command()
@click.option("--runs", default="1,8,32", show_default=True, help="population sizes, separated by commas")
@click.option("--rows", default=100, show_default=True, help="samples per run")
@click.option("--repeats", default=10, show_default=True, help="timed calls, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ...")
def main(runs: str, rows: int, repeats: int, threads: int, device: str) -> None:
    """Print milliseconds per update epoch and per decision, in all and per run."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    title = f"a one-shot game, {rows} samples per run, {device}, {threads} threads"
    decision = f"decision ms ({NUM_ENVS} environments)"
    table = Table("algorithm", "runs", "epoch ms", "epoch ms per run", decision, title=title)
    for spec in PPO_FAMILIES:
        for size in map(int, runs.split(",")):
            update, act = measure(spec, size, rows, repeats, device)
            table.add_row(spec.name, str(size), f"{update:.1f}", f"{update / size:.2f}", f"{act:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
