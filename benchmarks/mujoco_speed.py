"""Environment steps per second of multi-agent MuJoCo: MuJoCo alone, gymnasium-robotics, and ours.

python -m benchmarks.mujoco_speed --num-envs 40

MuJoCo alone is a loop over simulations that sets controls and calls `mj_step`, and nothing else; it is put
where our environments stand before each measurement, since a body on the ground costs more than one in the
air. A step of ours is everything a learner asks for: dynamics, rewards, observations, global state, neighbour
graph, and the restart of episodes, which are spread over all timesteps. All are played at random and take
turns within the same run, so that what else the machine does meets them alike. Where other programs want the
same cores, times on the processor tell more than times on the clock, which are medians. The batch is that of
three runs trained together; a second thread gains less on a single run's 40, which take a millisecond.
"""

from __future__ import annotations

import itertools
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

import stmg_envs
from stmg_envs.mujoco.simulation import STATE
from stmg_envs.protocol import GameVectorEnv

ID = "stmg/MultiAgentMujoco-v0"
TASKS = (("HalfCheetah", "2x3"), ("Ant", "4x2"))
WARMUP = 10


def ours(scenario: str, conf: str, num_envs: int, threads: int) -> GameVectorEnv:
    """A batch of ours whose episodes end one after another."""
    env = stmg_envs.vector_env(
        ID, num_envs, validate=False, scenario=scenario, agent_conf=conf, threads=threads
    )
    assert isinstance(env, GameVectorEnv)
    env.reset(seed=0)
    env.episodes.elapsed = torch.arange(num_envs) * 1000 // num_envs
    return env


def play(env: GameVectorEnv) -> Callable[[], None]:
    """A step of a batch of ours."""

    def step() -> None:
        env.step(torch.rand(env.num_envs, len(env.agents), env.game.action_width) * 2 - 1)
        env.neighbors()

    return step


class Raw:
    """Steps of MuJoCo alone from where the environments of a batch stand."""

    def __init__(self, env: GameVectorEnv) -> None:
        self.env = env
        self.simulation = env.game.simulation  # type: ignore[attr-defined]
        self.data = [mujoco.MjData(self.simulation.model) for _ in range(env.num_envs)]
        self.rng = np.random.default_rng(0)

    def prepare(self) -> None:
        """Put the simulations where the environments stand."""
        for name in STATE:
            for data, values in zip(self.data, self.env.episodes.state[name].numpy(), strict=True):
                getattr(data, name)[:] = values

    def step(self) -> None:
        """A decision in each."""
        model = self.simulation.model
        for data, control in zip(self.data, self.rng.uniform(-1, 1, (len(self.data), model.nu)), strict=True):
            data.ctrl[:] = control
            mujoco.mj_step(model, data, nstep=self.simulation.frame_skip)


def robotics(scenario: str, conf: str, num_envs: int) -> Callable[[], None]:
    """As many steps of one environment of gymnasium-robotics."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from gymnasium_robotics import mamujoco_v1

        env: Any = mamujoco_v1.parallel_env(scenario=scenario, agent_conf=conf, agent_obsk=1)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    sizes = {agent: env.action_space(agent).shape for agent in env.possible_agents}

    def step() -> None:
        for _ in range(num_envs):
            _, _, terminations, truncations, _ = env.step(
                {agent: rng.uniform(-1, 1, size).astype(np.float32) for agent, size in sizes.items()}
            )
            env.state()
            if any(terminations.values()) or any(truncations.values()):
                env.reset()

    return step


@click.command()
@click.option("--num-envs", default=120, show_default=True, help="environments of a batch")
@click.option("--repeats", default=100, show_default=True, help="timed steps, of which the median counts")
@click.option("--threads", default=2, show_default=True, help="threads of our batch, beside one")
def main(num_envs: int, repeats: int, threads: int) -> None:
    """Print times of a step of one environment, and what share of MuJoCo's own rate that is."""
    torch.set_num_threads(1)
    console = Console(width=100)
    for scenario, conf in TASKS:
        table = Table(
            "", "us", "x raw", "CPU us", "x raw", title=f"{scenario} {conf}, {num_envs} environments"
        )
        one, more = (ours(scenario, conf, num_envs, number) for number in (1, threads))
        alone = Raw(one)
        contenders = {
            "MuJoCo alone": alone.step,
            "gymnasium-robotics": robotics(scenario, conf, num_envs),
            "ours, 1 worker": play(one),
            f"ours, {threads} threads": play(more),
        }
        clock: dict[str, list[float]] = {name: [] for name in contenders}
        processor: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(WARMUP + repeats):
            alone.prepare()
            for name, step in contenders.items():
                start, busy = time.perf_counter(), time.process_time()
                step()
                clock[name].append(time.perf_counter() - start)
                processor[name].append(time.process_time() - busy)
        wall = {name: statistics.median(times[WARMUP:]) for name, times in clock.items()}
        work = {name: statistics.mean(times[WARMUP:]) for name, times in processor.items()}
        for name in contenders:
            cells = (
                (f"{1e6 * times[name] / num_envs:.1f}", f"{times['MuJoCo alone'] / times[name]:.2f}")
                for times in (wall, work)
            )
            table.add_row(name, *itertools.chain(*cells))
        console.print(table)


if __name__ == "__main__":
    main()
