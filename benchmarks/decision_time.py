"""Time of one joint decision of STEER against the number of agents, cached and uncached decoding.

    python -m benchmarks.decision_time --batch 32

Uncached decoding runs the whole network once per rank, as public implementations do.
"""

from __future__ import annotations

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from baselines.networks.policy import Inputs, PolicySpec
from baselines.networks.steer import SteerNetwork
from benchmarks.timing import median_ms

AGENTS = (2, 5, 10, 20, 50)
OBS_DIM, ACTIONS, EMBEDDING_DIM = 64, 10, 64


def inputs(batch: int, n: int) -> Inputs:
    """Random observations of B environments under the identity priority."""
    return {
        "observation": torch.randn(batch, n, OBS_DIM),
        "action_mask": torch.ones(batch, n, ACTIONS, dtype=torch.bool),
        "priority": torch.arange(n).repeat(batch, 1),
    }


def uncached(policy: SteerNetwork, observations: Inputs, noise: Tensor) -> Tensor:
    """Decide with one evaluation of all ranks per rank."""
    batch, n = noise.shape[:2]
    actions = torch.zeros(batch, n, dtype=torch.int64)
    for rank in range(n):
        embeddings = policy.subgame_embeddings(observations, actions)
        actions[:, rank] = policy.actor.sample(embeddings[:, rank], noise[:, rank], None)[0]
    return actions


def measure(batch: int, n: int, repeats: int) -> tuple[float, float]:
    """Milliseconds of a cached and of an uncached decision, which must agree."""
    policy = SteerNetwork(PolicySpec(n, OBS_DIM, None, ACTIONS, True), EMBEDDING_DIM, 1, 1)
    observations, noise = inputs(batch, n), torch.randn(batch, n, ACTIONS)
    with torch.no_grad():
        assert torch.equal(policy.act(observations, noise).actions, uncached(policy, observations, noise))
        cached = median_ms(lambda: policy.act(observations, noise), repeats)
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
    table = Table(title=f"STEER, batch {batch}, {sizes}, {threads} threads")
    for column in ("agents", "cached ms", "uncached ms", "uncached / cached", "cached / cached at n=10"):
        table.add_column(column)
    rows = {n: measure(batch, n, repeats) for n in AGENTS}
    for n, (cached, plain) in rows.items():
        ratio = cached / rows[10][0]
        table.add_row(str(n), f"{cached:.2f}", f"{plain:.2f}", f"{plain / cached:.1f}x", f"{ratio:.2f}x")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
