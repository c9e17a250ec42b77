"""Environment steps per second of an engine's environments in this process and in workers, and with a policy.

    python -m benchmarks.pool_speed --workers 1,2
    python -m benchmarks.pool_speed stmg/OnRampMerge-v0 --backend highway-env
    python -m benchmarks.pool_speed pettingzoo/mpe2.simple_spread_v3 --num-envs 64

The first table is random play, the second rollouts of a STEER policy. A batch steps as a whole, or in two
lanes that step independently of each other (`InterleavedVectorEnv`): then no worker waits in every step for
the slower one, nor for the policy. All batches are stepped in turns of eighty steps, long enough for caches
to be as in play, after which all of a batch's environments have stopped; `x` is how many times the first
row's rate that is. How many environments there are matters: sixteen football engines no longer fit into
the caches that two workers share, and gain less from the second one than ten.

Workers are of use where cores are free. What other programs leave of a machine is not known, so there is also
what a step takes of a core: of this process, and of the busiest worker. On free cores a step takes the sum of
the two, or the larger one where they work at the same time; `free x` is how many times faster than the first
row's that is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from baselines.runs.plan import RunPlan, make_plan
from baselines.training.lane import Present
from baselines.training.lanes import joined, lanes_of, play
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from benchmarks.timing import in_turns_ms
from stmg_envs.pool import PoolVectorEnv
from stmg_envs.protocol import JointVectorEnv, Streams, next_ready

WARM_UP = 10
"""Steps before measuring, so that engines are warm and processes have imported everything."""
TURN = 80
"""Steps of a batch before it is another one's turn."""


def random_actions(env: JointVectorEnv) -> torch.Tensor:
    """Actions that are legal without masks."""
    if env.game.discrete:
        return torch.randint(min(env.game.action_counts), (env.num_envs, env.game.n))
    return torch.rand(env.num_envs, env.game.n, env.game.action_width) * 2 - 1


def play_at_random(env: JointVectorEnv, steps: int) -> None:
    """Random play; every lane goes on as soon as its step is over."""
    playing = [(lane, steps) for lane in env.lanes]
    for lane in env.lanes:
        lane.send(random_actions(lane))
    while playing:
        lane, left = playing.pop(next_ready([lane for lane, _ in playing]))
        lane.receive()
        if left > 1:
            lane.send(random_actions(lane))
            playing.append((lane, left - 1))


def batch(plan: RunPlan, num_envs: int, lanes: int = 1) -> JointVectorEnv:
    """Environments that have taken their first steps."""
    env = plan.environments(num_envs, lanes)
    env.reset(seed=0)
    play_at_random(env, WARM_UP)
    return env


class Rollout:
    """Rollouts of a policy.

    Args:
        population: one policy.
        env: the environments.
    """

    def __init__(self, population: Population, env: JointVectorEnv) -> None:
        self.population = population
        self.env = env
        memory = population.no_memory(env.num_envs, env.game.n).flatten(0, 1)
        self.present = Present(
            env.reset(seed=1)[0], memory, torch.ones(env.num_envs, env.game.n, dtype=torch.bool)
        )
        noise = decision_noise(env.game.n, env.game.action_width, env.game.discrete)
        self.noise = noise(Streams.from_seeds([0]), TURN + 1, env.num_envs)

    def __call__(self) -> None:
        lanes = lanes_of(self.env, self.population, self.present, False, None)
        play(lanes, TURN, self._noise, self._noise)
        self.present = joined([lane.present for lane in lanes])

    def _noise(self, timestep: int) -> Tensor:
        return self.noise[:, timestep]


@dataclass(frozen=True)
class Case:
    """Something that is measured.

    Attributes:
        turn: a turn of all environments.
        env: the environments.
    """

    turn: Callable[[], object]
    env: JointVectorEnv

    @property
    def free(self) -> Callable[[Iterable[float]], float]:
        """`max` if this process and the workers compute at the same time, `sum` if one after the other."""
        return max if len(self.env.lanes) > 1 else sum

    def busiest_ms(self) -> float:
        """What the busiest worker has computed so far, in milliseconds (Linux)."""
        pools = [lane for lane in self.env.lanes if isinstance(lane, PoolVectorEnv)]
        ticks = [0]
        for worker in [worker for pool in pools for worker in pool.workers]:
            _, _, fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")
            ticks.append(sum(map(int, fields.split()[11:13])))
        return 1e3 * max(ticks) / os.sysconf("SC_CLK_TCK")


def measure(console: Console, title: str, num_envs: int, cases: Mapping[str, Case], repeats: int) -> None:
    """Print a table of what steps take."""
    table = Table("environments", "ms", "steps/s", "x", "here, ms", "worker, ms", "free x", title=title)
    before = {name: case.busiest_ms() for name, case in cases.items()}
    turns = {name: case.turn for name, case in cases.items()}
    first = None
    for name, times in in_turns_ms(turns, repeats).items():
        ms, here = (time / TURN for time in times)
        worker = (cases[name].busiest_ms() - before[name]) / (repeats * TURN)
        free = cases[name].free((here, worker))
        first = first or (ms, free)
        cells = (ms, 1e3 * num_envs / ms, first[0] / ms, here, worker, first[1] / free)
        table.add_row(name, *(f"{cell:,.2f}" for cell in cells))
    console.print(table)


@click.command()
@click.argument("env_id", default="stmg/Football-v0")
@click.option("--backend", help="of an id of ours, if not its default one")
@click.option("--num-envs", type=int, help="environments, if not as many as STEER's preset trains on")
@click.option("--workers", default="1,2", show_default=True, help="numbers of workers, beside none")
@click.option("--repeats", default=9, show_default=True, help="timed turns, of which the median counts")
def main(env_id: str, backend: str | None, num_envs: int | None, workers: str, repeats: int) -> None:
    """Print environment steps per second for every number of workers."""
    torch.set_num_threads(1)
    console = Console(width=100)
    arguments = {} if backend is None else {"backend": backend}
    counts = [0, *(int(count) for count in workers.split(","))]
    plans = {count: make_plan("steer", env_id, env_args=arguments, workers=count) for count in counts}
    num_envs = num_envs or plans[0].config.num_envs
    batches = {f"{count} workers": batch(plan, num_envs) for count, plan in plans.items()}
    batches[f"{counts[-1]} workers, two lanes"] = batch(plans[counts[-1]], num_envs, 2)

    cases = {name: Case(partial(play_at_random, env, TURN), env) for name, env in batches.items()}
    measure(console, f"{env_id}, {num_envs} at random", num_envs, cases, repeats)

    sizes = plans[0].policy_spec(plans[0].game())
    population = Population(lambda: plans[0].algorithm.build(plans[0].config, sizes), [0])
    cases = {name: Case(Rollout(population, env), env) for name, env in batches.items()}
    measure(console, f"{env_id}, {num_envs} under STEER", num_envs, cases, repeats)
    for env in batches.values():
        env.close()


if __name__ == "__main__":
    main()
