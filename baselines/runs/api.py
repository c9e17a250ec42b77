"""Train, resume and evaluate: the functions people call."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from baselines.evaluation.greedy import Evaluated, evaluate_greedy
from baselines.evaluation.names import file_name
from baselines.evaluation.results import ResultsFile
from baselines.runs.block import EVALUATIONS
from baselines.runs.directory import RunDirectory
from baselines.runs.loaded import load_population
from baselines.runs.paths import require_path
from baselines.runs.plan import RunPlan, check_plan, make_plan
from baselines.runs.processes import make_blocks
from baselines.runs.trainer import ABSOLUTE, FRESH, Progress, Trainer, write_plays
from baselines.runs.zoo import find_run
from baselines.training.population import Population
from baselines.training.trackers import WeightsAndBiases, check_wandb
from stmg_envs.arguments import MOST_THREADS, require_count, require_flag, shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Streams


@dataclass(frozen=True)
class TrainedRun:
    """A finished training.

    Attributes:
        path: the run directory.
        plan: what was done.
        steps: environment steps per run, fewer than planned where the goal was reached before.
        evaluated: the evaluation of the final policies.
    """

    path: Path
    plan: RunPlan
    steps: int
    evaluated: Evaluated


def default_out(plan: RunPlan) -> Path:
    """`runs/<algorithm>-<task>-<time>`, free of characters that shells treat specially."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = file_name(f"{plan.algorithm.name}-{plan.task}").strip("-")
    return Path("runs") / f"{name}-{stamp}"


def place(plan: RunPlan, out: str | Path | None, resume: bool) -> RunDirectory:
    """Where a plan is to be carried out: a new directory, or on resuming the one of the same plan.

    Args:
        plan: what is to be done.
        out: run directory; by default one under `runs/` named after algorithm, task and time.
        resume: whether the run in `out` is to be continued.

    Raises:
        RunDirectoryError: if `out` exists, or on resuming holds another run.
    """
    path = require_path("out", out) if out is not None else default_out(plan)
    # The plan is the caller's own, and so is whatever it names.
    directory = RunDirectory(path, trust=not resume or RunDirectory(path).recorded().env_id == plan.env_id)
    if resume:
        directory.check_continues(plan)
    else:
        directory.check_new()
    return directory


def train(
    algorithm: str,
    env_id: str,
    *,
    seeds: int | Sequence[int] = 1,
    env_args: Mapping[str, Any] | None = None,
    device: str = "cpu",
    priority: Sequence[str] | str | None = None,
    workers: int = 0,
    preset: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    processes: int = 1,
    watch: Callable[[Progress], None] | None = None,
    wandb: str | None = None,
    **config: Any,
) -> TrainedRun:
    """Train a population of independent runs, one per seed.

    Args:
        algorithm: registry name, see `list_algorithms`.
        env_id: environment id, see `stmg_envs.list_envs`.
        seeds: a number of seeds (0, 1, ...) or the seeds themselves.
        env_args: arguments of the game.
        device: "cpu", "cuda", ...
        priority: agent names in order of decision, "random" (per episode), or the game's default.
        workers: processes that step an engine's environments, which changes no result; 0 steps them in this
            one. A script that asks for workers needs the guard `if __name__ == "__main__"`.
        preset: named settings; by default those of the environment's family.
        out: run directory; by default one under `runs/` named after algorithm, task and time.
        resume: continue the run in `out`; with more `total_steps` it becomes longer.
        processes: among which the run's blocks of 16 seeds are divided, which changes no result. A script
            that asks for more than one needs the guard `if __name__ == "__main__"`.
        watch: called after every update.
        wandb: project at Weights & Biases to log to, beside TensorBoard's files; extra `wandb`.
        **config: fields of the algorithm's configuration.

    Returns:
        The run, with the evaluation of the final policies.

    Raises:
        STMGError: one of its subclasses names what is wrong, before any work starts.
        KeyboardInterrupt: of `Stopped`, after saving, when interrupted.
    """
    plan = make_plan(
        algorithm,
        env_id,
        seeds=seeds,
        env_args=env_args,
        device=device,
        priority=priority,
        workers=workers,
        preset=preset,
        config=config,
    )
    return _carry_out(plan, place(plan, out, resume), resume, processes, watch, wandb)


def resume(
    run_dir: str | Path,
    *,
    total_steps: int | None = None,
    goal: str | None = None,
    device: str | None = None,
    workers: int | None = None,
    processes: int = 1,
    watch: Callable[[Progress], None] | None = None,
    wandb: str | None = None,
    trust: bool = False,
) -> TrainedRun:
    """Go on with a training where it stopped; the run directory knows everything else.

    Args:
        run_dir: a run directory.
        total_steps: a new end, not before the old one.
        goal: a new goal, such as "return >= 9".
        device: another one than the run had.
        workers: processes that step an engine's environments; as many as the run had by default.
        processes: as in `train`.
        watch: called after every update.
        wandb: as in `train`.
        trust: as in `load_policy`.

    Returns:
        The run, with the evaluation of the final policies.

    Raises:
        RunDirectoryError: if there is no training to go on with.
        STMGError: one of its subclasses names what else is wrong, before any work starts.
        KeyboardInterrupt: of `Stopped`, after saving, when interrupted.
    """
    require_flag("trust", trust)
    directory = RunDirectory(require_path("run_dir", run_dir), trust)
    plan = directory.continued(total_steps=total_steps, goal=goal, device=device, workers=workers)
    return _carry_out(plan, directory, True, processes, watch, wandb)


def _carry_out(
    plan: RunPlan,
    directory: RunDirectory,
    resume: bool,
    processes: int,
    watch: Callable[[Progress], None] | None,
    wandb: str | None,
) -> TrainedRun:
    """Train a plan in its directory."""
    if wandb is not None:
        check_wandb(wandb)
    require_count("processes", processes, 1, MOST_THREADS)
    if watch is not None and not callable(watch):
        raise InvalidArgumentError(
            f"watch={shown(watch)} is no function; expected one of the progress, or None"
        )
    with carrying_out(plan, directory, resume):
        trackers = [] if wandb is None else [WeightsAndBiases(wandb, directory.path, plan.as_dict())]
        trainer = Trainer(plan, directory, resume, trackers, make_blocks(plan, processes))
        evaluated = trainer.run(watch)
    return TrainedRun(directory.path, plan, trainer.step, evaluated)


@contextmanager
def carrying_out(plan: RunPlan, directory: RunDirectory, resume: bool) -> Iterator[None]:
    """The directory of a training, ours alone; one that fails before its first checkpoint leaves none.

    Raises:
        RunDirectoryError: if the directory cannot be made, or another process writes into it.
    """
    if not resume:
        directory.create(plan)
    try:
        with directory.locked():
            yield
    except Exception:
        if not resume and not directory.checkpoint.exists():
            shutil.rmtree(directory.path, ignore_errors=True)
        raise


def evaluate(
    run_dir: str | Path,
    episodes: int = 320,
    workers: int | None = None,
    write: bool | None = None,
    trust: bool = False,
) -> Evaluated:
    """Evaluate the saved policies greedily.

    Args:
        run_dir: a run directory, or an entry of the zoo, such as "zoo/steer-penalty".
        episodes: episodes per run, each environment playing exactly one.
        workers: processes that step an engine's environments; as many as in training by default.
        write: whether absolute metrics go to `results.json` and the first episodes to `plays.json`. By
            default they do, unless it is the zoo's.
        trust: as in `load_policy`.

    Raises:
        RunDirectoryError: if there is no run.
        CheckpointError: if its checkpoint is missing or damaged.
    """
    require_count("episodes", episodes, 1)
    if write is not None:
        require_flag("write", write)
    directory = find_run(run_dir, trust)
    plan = directory.plan()
    if workers is not None:
        plan = check_plan(replace(plan, workers=workers))
    population, progress = load_population(directory, plan)
    evaluated = play(population, plan, episodes, FRESH if directory.published else ABSOLUTE)
    if evaluated.lost is not None:
        evaluated = replace(evaluated, lost=evaluated.lost + np.array(progress.get("lost", 0)))
    if not directory.published if write is None else write:
        step = progress["updates"] * plan.config.batch
        with directory.locked():
            results = ResultsFile(directory.results, plan.task, plan.algorithm.name, plan.seeds, step)
            results.set_absolute(evaluated)
            write_plays(directory, plan, evaluated)
    return evaluated


def play(population: Population, plan: RunPlan, episodes: int, counter: int) -> Evaluated:
    """Greedy episodes of policies in a plan's environments; the same counter gives the same episodes."""
    streams = Streams.from_seeds(plan.seeds, plan.device).fold(EVALUATIONS, counter)
    with closing(plan.evaluation_environments(episodes)) as env:
        return evaluate_greedy(population, env, streams, episodes, plan.config.eval_max_steps)
