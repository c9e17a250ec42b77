"""Decisions per second of turn streams in Stable-Baselines3: our `VecEnv`, and its `DummyVecEnv`.

python -m benchmarks.stable_baselines3_speed --num-envs 64

Both play the same games with the same actions, and give everything that Stable-Baselines3 is given: infos and
final observations. They step in turns.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.timing import in_turns_ms

IDS = ("stmg/Penalty-v0", "stmg/Coordination-v0", "stmg/CooperativeHunting-v0", "stmg/OnRampMerge-v0")


def rates(id: str, num_envs: int, repeats: int) -> tuple[float, float]:
    """Decisions per second of the stock `VecEnv` and of ours."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    from wrappers.stable_baselines3 import stable_baselines3_env

    stock = DummyVecEnv([lambda: gymnasium.make(id) for _ in range(num_envs)])
    native = stable_baselines3_env(id, num_envs)
    stock.reset()
    native.reset()
    actions = np.stack([native.action_space.sample() for _ in range(num_envs)])
    calls = {"stock": lambda: stock.step(actions), "native": lambda: native.step(actions)}
    times = in_turns_ms(calls, repeats)
    return 1e3 * num_envs / times["stock"][0], 1e3 * num_envs / times["native"][0]


@click.command()
@click.option("--num-envs", default=64, show_default=True, help="environments")
@click.option("--repeats", default=100, show_default=True, help="timed steps, of which the median counts")
def main(num_envs: int, repeats: int) -> None:
    """Print decisions per second of both, and their ratio."""
    torch.set_num_threads(1)
    table = Table("id", "DummyVecEnv/s", "ours/s", "ratio", title=f"decisions in {num_envs} environments")
    for id in IDS:
        stock, native = rates(id, num_envs, repeats)
        table.add_row(id, f"{stock:,.0f}", f"{native:,.0f}", f"{native / stock:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
