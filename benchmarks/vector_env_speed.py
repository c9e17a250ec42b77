"""Environment steps per second of native vector environments, every step checked and autoreset.

python -m benchmarks.vector_env_speed --num-envs 65536
"""

from __future__ import annotations

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

import stmg_envs
from benchmarks.timing import median_ms


def step_ms(id: str, num_envs: int, repeats: int) -> float:
    """Milliseconds of one step of a batch under random actions."""
    env = stmg_envs.vector_env(id, num_envs)
    env.reset(seed=0)
    counts = torch.tensor(env.game.action_counts)
    actions = torch.randint(2**31, (num_envs, env.game.n)) % counts
    return median_ms(lambda: env.step(actions), repeats)


@click.command()
@click.option("--num-envs", default=65536, show_default=True, help="environments")
@click.option("--repeats", default=50, show_default=True, help="timed steps, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads")
def main(num_envs: int, repeats: int, threads: int) -> None:
    """Print millions of environment steps per second for every matrix game."""
    torch.set_num_threads(threads)
    table = Table("id", "ms per step", "million steps/s", title=f"{num_envs} environments, {threads} threads")
    for id in stmg_envs.list_envs():
        if not stmg_envs.game_spec(id).family.startswith("matrix"):
            continue
        ms = step_ms(id, num_envs, repeats)
        table.add_row(id, f"{ms:.2f}", f"{num_envs / ms / 1e3:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
