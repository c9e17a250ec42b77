"""Environment steps per second of on-ramp merging: our simulator, and highway-env's with two observations.

python -m benchmarks.merge_speed --num-envs 1024

A step of ours is everything a learner asks for: dynamics, rewards, observations, global state, neighbour
graph, and the restart of episodes, which are spread over all timesteps, so that some end in every step.
highway-env's stock path is its own `step`, with the papers' observation by its `Kinematics` class, which goes
through pandas; it has no rewards. Beside it, the same vehicles on highway-env with our observation, rewards
and graph: the backend "highway-env", which steps in turns with it. All of them are played at random.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

import stmg_envs
from benchmarks.timing import in_turns_ms, median_ms
from stmg_envs.errors import MissingEngineError

ID = "stmg/OnRampMerge-v0"
DECISIONS = 100
"""Of an episode."""


def native(num_envs: int, density: int) -> Callable[[], object]:
    """One step of a batch under random actions."""
    env = stmg_envs.vector_env(ID, num_envs, validate=False, traffic_density=density)
    env.reset(seed=0)
    n = len(env.agents)
    for _ in range(DECISIONS):
        env.step(torch.randint(5, (num_envs, n)))
    env.episodes.elapsed = torch.arange(num_envs) % DECISIONS  # type: ignore[attr-defined]

    def step() -> None:
        env.step(torch.randint(5, (num_envs, n)))
        env.neighbors()

    return step


def engine(density: int) -> Callable[[], object]:
    """One step of one environment on highway-env, with what we make of it."""
    env = stmg_envs.parallel_env(ID, backend="highway-env", traffic_density=density)
    seeds = itertools.count()

    def step() -> None:
        if not env.agents:
            env.reset(seed=next(seeds))
        actions = torch.randint(5, (len(env.agents),)).tolist()
        env.step(dict(zip(env.agents, actions, strict=True)))
        env.neighbors()

    return step


def stock(density: int) -> Callable[[], object]:
    """One step of one environment of highway-env, as it comes."""
    from highway_env.road.lane import SineLane, StraightLane
    from highway_env.road.road import RoadNetwork

    from stmg_envs.merge.game import unpack
    from stmg_envs.merge.highway import HighwayEnvGame
    from stmg_envs.merge.network import make_network
    from stmg_envs.merge.scene import MergeScene
    from stmg_envs.protocol import Episodes

    game = HighwayEnvGame(traffic_density=density)
    episodes = Episodes(game, 1)
    seeds = itertools.count()
    scene: MergeScene | None = None

    def step() -> None:
        nonlocal scene
        if scene is None or scene.steps >= 3 * DECISIONS or any(v.crashed for v in scene.controlled_vehicles):
            episodes.reset(next(seeds))
            scene = MergeScene(unpack(episodes.state), game.n)
            scene.road.network = make_network(RoadNetwork, StraightLane, SineLane)
        scene.step(tuple(torch.randint(5, (game.n,)).tolist()))

    return step


@click.command()
@click.option("--num-envs", default=1024, show_default=True, help="environments of our batch")
@click.option("--density", default=2, show_default=True, help="traffic density")
@click.option("--repeats", default=200, show_default=True, help="timed steps, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="torch threads of our batch, beside one")
def main(num_envs: int, density: int, repeats: int, threads: int) -> None:
    """Print environment steps per second, and how many times the stock path that is."""
    console = Console(width=100)
    table = Table("simulator", "threads", "ms per step", "steps/s", "x stock", title=f"density {density}")
    rates: dict[tuple[str, int], tuple[float, float]] = {}
    torch.set_num_threads(1)
    try:
        engines = {
            "highway-env, its observation": stock(density),
            "highway-env, our observation, rewards and graph": engine(density),
        }
        for name, (ms, _) in in_turns_ms(engines, 4 * repeats).items():
            rates[name, 1] = ms, 1e3 / ms
    except MissingEngineError as error:
        console.print(str(error), markup=False)
    for number in sorted({1, threads}):
        torch.set_num_threads(number)
        ms = median_ms(native(num_envs, density), repeats, warmup=10)
        rates[f"native, {num_envs} environments", number] = ms, 1e3 * num_envs / ms
    base = next(iter(rates.values()))[1] if len(rates) > 2 else None
    for (name, number), (ms, rate) in rates.items():
        ratio = "-" if base is None else f"{rate / base:,.1f}"
        table.add_row(name, str(number), f"{ms:.2f}", f"{rate:,.0f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
