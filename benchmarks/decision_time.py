"""Time of one joint decision against the number of agents, cached and uncached decoding.

    python -m benchmarks.decision_time --batch 32

Uncached decoding runs the whole network once per rank, as public implementations do. It is left out for more
than 50 agents.
"""

from __future__ import annotations

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from baselines.networks.mat import MATNetwork
from baselines.networks.policy import Inputs, PolicySpec, SequentialPolicy
from baselines.networks.steer import SteerNetwork
from benchmarks.timing import median_ms

AGENTS = (2, 5, 10, 20, 50, 200, 1000)
UNCACHED_AGENTS = 50
"""Of more agents uncached decoding would take minutes."""
OBS_DIM, ACTIONS, EMBEDDING_DIM = 64, 10, 64
NETWORKS = {"steer": SteerNetwork, "mat": MATNetwork}


def inputs(batch: int, n: int) -> Inputs:
    """Random observations of B environments under the identity priority."""
    return {
        "observation": torch.randn(batch, n, OBS_DIM),
        "action_mask": torch.ones(batch, n, ACTIONS, dtype=torch.bool),
        "priority": torch.arange(n).repeat(batch, 1),
    }


def uncached(policy: SequentialPolicy, observations: Inputs, noise: Tensor) -> Tensor:
    """Decide with one evaluation of all ranks per rank."""
    batch, n = noise.shape[:2]
    actions = torch.zeros(batch, n, dtype=torch.int64)
    for rank in range(n):
        embeddings = policy.embed(observations, actions)
        actions[:, rank] = policy.actor.sample(embeddings[:, rank], noise[:, rank], None)[0]
    return actions


def measure(name: str, batch: int, n: int, repeats: int) -> tuple[float, float | None]:
    """Milliseconds of a cached and, of few agents, of an uncached decision, which must agree."""
    spec = PolicySpec(n, OBS_DIM, None, ACTIONS, discrete=True)
    policy: SequentialPolicy = NETWORKS[name](spec, EMBEDDING_DIM, blocks=1, heads=1)
    observations, noise = inputs(batch, n), torch.randn(batch, n, ACTIONS)
    with torch.inference_mode():
        cached = median_ms(lambda: policy.act(observations, noise), repeats)
        if n > UNCACHED_AGENTS:
            return cached, None
        assert torch.equal(policy.act(observations, noise).actions, uncached(policy, observations, noise))
        return cached, median_ms(lambda: uncached(policy, observations, noise), repeats)


@click.command()
@click.option("--batch", default=32, show_default=True, help="environments")
@click.option("--repeats", default=20, show_default=True, help="timed calls, of which the median counts")
@click.option("--threads", default=1, show_default=True, help="torch threads")
def main(batch: int, repeats: int, threads: int) -> None:
    """Print milliseconds per joint decision."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    sizes = f"obs {OBS_DIM}, {ACTIONS} actions, embedding {EMBEDDING_DIM}"
    table = Table(title=f"batch {batch}, {sizes}, {threads} threads")
    for column in (
        "network",
        "agents",
        "cached ms",
        "uncached ms",
        "uncached / cached",
        "cached / cached at n=10",
    ):
        table.add_column(column)
    for name in NETWORKS:
        rows = {n: measure(name, batch, n, repeats) for n in AGENTS}
        for n, (cached, plain) in rows.items():
            found = ("", "") if plain is None else (f"{plain:.2f}", f"{plain / cached:.1f}x")
            table.add_row(name, str(n), f"{cached:.2f}", *found, f"{cached / rows[10][0]:.2f}x")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
