"""Environment steps per second of Skirmish, and of JaxMARL's SMAX in the same run.

python -m benchmarks.combat_speed
python -m benchmarks.combat_speed --smax smax/bin/python

A step is everything a learner asks for: ticks, rewards, observations, states, masks, neighbour graph, and the
restart of episodes, all on one thread; agents play uniformly among what is legal. Steps of all take turns, so
that whatever else the machine does slows all of them, and the median counts. SMAX (`pip install jaxmarl` in
an environment of its own, whose Python is named by `--smax`) is another game, has no neighbour graph, and is
compiled.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.combat_players import play_random
from benchmarks.timing import Seconds, in_turns, timed
from stmg_envs.combat import Skirmish
from stmg_envs.protocol import GameVectorEnv

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
"""What makes JAX compute on one core."""
WARM_UP = 40
"""Steps before anything is measured, so that battles are under way."""


def skirmish(name: str, num_envs: int, steps: int, compiled: bool) -> Callable[[], Seconds]:
    """Battles of ours."""
    game = Skirmish(name)
    env = GameVectorEnv(game, num_envs, validate=False)
    if compiled:
        game.compile()
    env.reset(seed=0)
    generator = torch.Generator().manual_seed(0)

    def play(steps: int = steps) -> None:
        for _ in range(steps):
            env.step(play_random(env.episodes.state, game, generator))
            env.neighbors()

    play(WARM_UP)
    return timed(play)


def smax(python: Path, name: str, num_envs: int, steps: int) -> Callable[[], Seconds]:
    """Battles of SMAX, in a process of its own."""
    script = Path(__file__).with_name("smax_player.py")
    player = subprocess.Popen(
        [python, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"XLA_FLAGS": ONE_THREAD},
    )

    def play() -> Seconds:
        asked, answers = cast(IO[str], player.stdin), cast(IO[str], player.stdout)
        print(name, num_envs, steps, file=asked, flush=True)
        # jaxmarl prints something of its own when it is imported.
        for line in answers:
            if line.startswith("seconds"):
                _, wall, busy = line.split()
                return float(wall), float(busy)
        raise click.ClickException(f"{python} {script} has ended; has its environment jaxmarl?")

    play()
    return play


@click.command()
@click.option("--map", "maps", multiple=True, default=("5m_vs_6m", "27m_vs_30m"), show_default=True)
@click.option("--num-envs", default=(256, 1024), multiple=True, show_default=True, help="environments")
@click.option("--steps", default=20, show_default=True, help="of a batch that are timed together")
@click.option("--rounds", default=7, show_default=True, help="of which the median counts")
@click.option("--compiled/--eager", default=True, show_default=True, help="compiled ticks too (needs g++)")
@click.option("--smax", "python", type=click.Path(path_type=Path), help="Python that has jaxmarl")
def main(
    maps: tuple[str, ...],
    num_envs: tuple[int, ...],
    steps: int,
    rounds: int,
    compiled: bool,
    python: Path | None,
) -> None:
    """Print thousands of environment steps per second on each map, by the clock and per second computed.

    Example: python -m benchmarks.combat_speed --map 3m --num-envs 512 --eager
    """
    torch.set_num_threads(1)
    table = Table("map", "environments", "what", "1,000 steps/s", "per CPU second")
    for name in maps:
        for batch in num_envs:
            players = {"Skirmish": skirmish(name, batch, steps, compiled=False)}
            if compiled:
                players["Skirmish, compiled"] = skirmish(name, batch, steps, compiled=True)
            if python is not None:
                players["SMAX"] = smax(python, name, batch, steps)
            for what, seconds in in_turns(players, rounds).items():
                rates = [f"{batch * steps / taken / 1e3:.2f}" for taken in seconds]
                table.add_row(name, str(batch), what, *rates)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
