"""Environment steps per second of Cooperative Hunting, with VMAS's simple_tag beside it.

python -m benchmarks.particle_speed --num-envs 1024

A step of ours is everything a learner asks for: dynamics, prey, rewards, observations, global state,
neighbour graph, and the restart of episodes; episodes are spread over all timesteps, so that some end in
every step. VMAS steps its nearest scenario: as many bodies, no landmarks, and no restarts, since its
simple_tag never ends. It integrates ten substeps per step, so it is also run with one, as ours.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

import stmg_envs
from benchmarks.timing import median_ms
from stmg_envs.protocol import GameVectorEnv


def hunting(num_envs: int, variant: str, compiled: bool) -> Callable[[], object]:
    """One step of our game under random actions."""
    env = stmg_envs.vector_env("stmg/CooperativeHunting-v0", num_envs, validate=False, variant=variant)
    env.reset(seed=0)
    assert isinstance(env, GameVectorEnv)
    limit = env.game.max_steps
    assert limit is not None
    env.episodes.elapsed = torch.arange(num_envs) % limit
    actions = torch.rand(num_envs, env.game.n, 2) * 2 - 1
    if compiled:
        env.game.step = torch.compile(env.game.step)  # type: ignore[method-assign]
        env.game.observe = torch.compile(env.game.observe)  # type: ignore[method-assign]

    def step() -> None:
        env.step(actions)
        env.neighbors()

    return step


def simple_tag(num_envs: int, substeps: int) -> Callable[[], object]:
    """One step of VMAS's simple_tag under random actions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vmas

        env = vmas.make_env("simple_tag", num_envs=num_envs, device="cpu", num_landmarks=0, seed=0)
    # VMAS has no public way to choose it.
    env.world._substeps = substeps
    env.world._sub_dt = env.world.dt / substeps
    actions = [torch.rand(num_envs, 2) * 2 - 1 for _ in env.agents]
    return lambda: env.step(actions)


@click.command()
@click.option("--num-envs", default=1024, show_default=True, help="environments")
@click.option("--repeats", default=200, show_default=True, help="timed steps, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads")
@click.option("--compiled", is_flag=True, help="also with torch.compile, which takes a minute to begin")
def main(num_envs: int, repeats: int, threads: int, compiled: bool) -> None:
    """Print environment steps per second."""
    torch.set_num_threads(threads)
    steps = {f"CooperativeHunting {variant}": hunting(num_envs, variant, False) for variant in ("I", "II")}
    if compiled:
        steps |= {f"{name}, compiled": hunting(num_envs, name.split()[-1], True) for name in list(steps)}
    console = Console(width=100)
    if importlib.util.find_spec("vmas") is None:
        console.print("VMAS is not installed; to run it beside: pip install 'stmg[bench]'", markup=False)
    else:
        steps |= {
            "VMAS simple_tag": simple_tag(num_envs, 10),
            "VMAS simple_tag, 1 substep": simple_tag(num_envs, 1),
        }
    table = Table("game", "ms per step", "steps/s", title=f"{num_envs} environments, {threads} threads")
    for name, step in steps.items():
        ms = median_ms(step, repeats, warmup=20)
        table.add_row(name, f"{ms:.2f}", f"{1e3 * num_envs / ms:,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
