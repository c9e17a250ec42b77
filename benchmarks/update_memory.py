"""Memory of one gradient step against the number of agents.

    python -m benchmarks.update_memory --batch 32

Each row comes from a process of its own: the most memory it has held, less what it held before the step.
"""

from __future__ import annotations

import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from baselines.networks.policy import PolicySpec
from benchmarks.decision_time import ACTIONS, EMBEDDING_DIM, NETWORKS, OBS_DIM, inputs

AGENTS = (10, 50, 100, 200, 500, 1000)


def peak_mib() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, batch: int, n: int) -> float:
    """MiB that the gradients of one evaluation of B environments take."""
    torch.set_num_threads(1)
    policy = NETWORKS[name](PolicySpec(n, OBS_DIM, None, ACTIONS, discrete=True), EMBEDDING_DIM, 1, 1)
    seen, actions = inputs(batch, n), torch.zeros(batch, n, dtype=torch.int64)
    before = peak_mib()
    judged = policy.evaluate(seen, actions)
    (judged.log_probs.sum() + judged.values.sum()).backward()
    return peak_mib() - before


@click.command()
@click.option("--batch", default=32, show_default=True, help="environments")
def main(batch: int) -> None:
    """Print MiB per gradient step, and per agent."""
    sizes = f"obs {OBS_DIM}, {ACTIONS} actions, embedding {EMBEDDING_DIM}"
    table = Table("network", "agents", "MiB", "MiB per agent", title=f"batch {batch}, {sizes}")
    for name in NETWORKS:
        for n in AGENTS:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                taken = process.submit(measure, name, batch, n).result()
            table.add_row(name, str(n), f"{taken:,.1f}", f"{taken / n:.3f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
