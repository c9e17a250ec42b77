"""Environment steps per second of an engine's environments in this process and in workers, and with a policy.

    python -m benchmarks.pool_speed --num-envs 16 --workers 1,2
    python -m benchmarks.pool_speed stmg/OnRampMerge-v0 --backend highway-env
    python -m benchmarks.pool_speed pettingzoo/mpe2.simple_spread_v3 --num-envs 64

The first table is random play. In the second a STEER policy decides: in this process, for the whole batch
while the workers wait, and for one half of it while the other half's environments step (`send`, `receive`).
All batches are stepped in turns of twenty steps, long enough for caches to be as in play; `x` is how many
times the first row's rate that is.

Workers are of use where cores are free. What other programs leave of a machine is not known, so there is also
what a step takes of a core: of this process, and of the busiest worker. On free cores a step takes the sum of
the two, or the larger one where they work at the same time; `free x` is how many times faster than the first
row's that is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import rich_click as click
import torch
from rich.console import Console
from rich.table import Table

from baselines.runs.plan import RunPlan, make_plan
from baselines.training.population import Population
from baselines.training.rollout import policy_inputs
from benchmarks.timing import in_turns_ms
from stmg_envs.pool import PoolVectorEnv
from stmg_envs.protocol import EngineVectorEnv, Observations

WARM_UP = 10
"""Steps before measuring, so that engines are warm and processes have imported everything."""
TURN = 20
"""Steps of a batch before it is another one's turn."""


def play(env: EngineVectorEnv) -> None:
    """A step of random actions."""
    env.step(random_actions(env))


def batch(plan: RunPlan, num_envs: int) -> EngineVectorEnv:
    """Environments that have taken their first steps."""
    env = plan.environments(num_envs)
    assert isinstance(env, EngineVectorEnv)
    env.reset(seed=0)
    for _ in range(WARM_UP):
        play(env)
    return env


def take_turn(step: Callable[[], object]) -> None:
    """Steps of one turn."""
    for _ in range(TURN):
        step()


def random_actions(env: EngineVectorEnv) -> torch.Tensor:
    """Actions that are legal without masks."""
    if env.game.discrete:
        return torch.randint(min(env.game.action_counts), (env.num_envs, env.game.n))
    return torch.rand(env.num_envs, env.game.n, env.game.action_width) * 2 - 1


class Actor:
    """A policy that plays in some environments.

    Args:
        population: one policy.
        env: the environments.
    """

    def __init__(self, population: Population, env: EngineVectorEnv) -> None:
        self.population = population
        self.env = env
        self.observations: Observations = env.reset(seed=1)[0]
        self.noise = torch.zeros(1, env.num_envs, env.game.n, env.game.action_width)

    def decide(self) -> None:
        """Decide on what was seen last, and have the environments begin to step."""
        inputs = policy_inputs(self.observations, self.env.priority, 1)
        self.env.send(self.population.act(inputs, self.noise).actions[0])

    def see(self) -> None:
        """Wait for the environments."""
        self.observations = self.env.receive()[0]


def alternating(actors: list[Actor]) -> Callable[[], None]:
    """One step of all actors' environments, each of which steps while the policy decides for the others."""
    for actor in actors[1:]:
        actor.decide()

    def step() -> None:
        for actor, following in zip(actors, [*actors[1:], actors[0]], strict=True):
            actor.decide()
            if following is not actor:
                following.see()
        if len(actors) == 1:
            actors[0].see()

    return step


@dataclass(frozen=True)
class Case:
    """Something that is measured.

    Attributes:
        step: one step of all environments.
        envs: the environments.
        free: `sum` if this process and the workers compute one after the other, `max` if at the same time.
    """

    step: Callable[[], object]
    envs: list[EngineVectorEnv]
    free: Callable[[Iterable[float]], float] = sum

    def busiest_ms(self) -> float:
        """What the busiest worker has computed so far, in milliseconds (Linux)."""
        pools = [env for env in self.envs if isinstance(env, PoolVectorEnv)]
        ticks = [0]
        for worker in [worker for pool in pools for worker in pool.workers]:
            _, _, fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")
            ticks.append(sum(map(int, fields.split()[11:13])))
        return 1e3 * max(ticks) / os.sysconf("SC_CLK_TCK")


def measure(console: Console, title: str, num_envs: int, cases: Mapping[str, Case], repeats: int) -> None:
    """Print a table of what steps take."""
    table = Table("environments", "ms", "steps/s", "x", "here, ms", "worker, ms", "free x", title=title)
    before = {name: case.busiest_ms() for name, case in cases.items()}
    turns = {name: partial(take_turn, case.step) for name, case in cases.items()}
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
@click.option("--num-envs", default=16, show_default=True, help="environments")
@click.option("--workers", default="1,2", show_default=True, help="numbers of workers, beside none")
@click.option("--repeats", default=15, show_default=True, help="timed turns, of which the median counts")
def main(env_id: str, backend: str | None, num_envs: int, workers: str, repeats: int) -> None:
    """Print environment steps per second for every number of workers."""
    torch.set_num_threads(1)
    console = Console(width=100)
    arguments = {} if backend is None else {"backend": backend}
    counts = [0, *(int(count) for count in workers.split(","))]
    plans = {count: make_plan("steer", env_id, env_args=arguments, workers=count) for count in counts}

    batches = {f"{count} workers": batch(plan, num_envs) for count, plan in plans.items()}
    cases = {name: Case(partial(play, env), [env]) for name, env in batches.items()}
    measure(console, f"{env_id}, {num_envs} at random", num_envs, cases, repeats)

    plan, count = plans[counts[-1]], counts[-1]
    sizes = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, sizes), [0])
    here, whole = batches["0 workers"], batches[f"{count} workers"]
    halves = [batch(replace(plan, workers=count // 2), num_envs // 2) for _ in range(2)]
    cases = {
        "0 workers": Case(alternating([Actor(population, here)]), [here]),
        "all at once": Case(alternating([Actor(population, whole)]), [whole]),
        "half by half": Case(alternating([Actor(population, half) for half in halves]), halves, max),
    }
    title = f"{env_id}, {num_envs} under STEER, with {count} workers"
    measure(console, title, num_envs, cases, repeats)
    for env in [*batches.values(), *halves]:
        env.close()


if __name__ == "__main__":
    main()
