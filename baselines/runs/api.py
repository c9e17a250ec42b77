"""Train, evaluate and load policies: the functions people call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from baselines.errors import CheckpointError
from baselines.evaluation.greedy import Evaluated, evaluate_greedy
from baselines.evaluation.names import file_name
from baselines.evaluation.results import ResultsFile
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import ABSOLUTE, EVALUATIONS, FRESH, Progress, Trainer, write_plays
from baselines.runs.zoo import find_run
from baselines.training.checkpoint import load_checkpoint
from baselines.training.population import Population, policy_inputs
from baselines.training.rollout import decision_noise
from baselines.training.trackers import WeightsAndBiases, check_wandb
from stmg_envs.protocol import Observations, Streams, identity_priority


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
    directory = RunDirectory(Path(out) if out is not None else default_out(plan))
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
        watch: called after every update.
        wandb: project at Weights & Biases to log to, beside TensorBoard's files; extra `wandb`.
        **config: fields of the algorithm's configuration.

    Returns:
        The run, with the evaluation of the final policies.

    Raises:
        STMGError: one of its subclasses names what is wrong, before any work starts.
        KeyboardInterrupt: after saving, when interrupted.
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
    directory = place(plan, out, resume)
    if wandb is not None:
        check_wandb(wandb)
    if not resume:
        directory.create(plan)
    trackers = [] if wandb is None else [WeightsAndBiases(wandb, directory.path, plan.as_dict())]
    trainer = Trainer(plan, directory, resume, trackers)
    evaluated = trainer.run(watch)
    return TrainedRun(directory.path, plan, trainer.step, evaluated)


def evaluate(
    run_dir: str | Path, episodes: int = 320, workers: int | None = None, write: bool | None = None
) -> Evaluated:
    """Evaluate the saved policies greedily.

    Args:
        run_dir: a run directory, or an entry of the zoo, such as "zoo/steer-penalty".
        episodes: episodes per run, each environment playing exactly one.
        workers: processes that step an engine's environments; as many as in training by default.
        write: whether absolute metrics go to `results.json` and the first episodes to `plays.json`. By
            default they do, unless it is the zoo's.

    Raises:
        RunDirectoryError: if there is no run.
        CheckpointError: if its checkpoint is missing or damaged.
    """
    directory = find_run(run_dir)
    plan = directory.plan()
    if workers is not None:
        plan = replace(plan, workers=workers)
    population, progress = load_population(directory, plan)
    evaluated = play(population, plan, episodes, FRESH if directory.published else ABSOLUTE)
    if evaluated.lost is not None:
        evaluated = replace(evaluated, lost=evaluated.lost + np.array(progress.get("lost", 0)))
    if not directory.published if write is None else write:
        step = progress["updates"] * plan.config.batch
        results = ResultsFile(directory.results, plan.task, plan.algorithm.name, plan.seeds, step)
        results.set_absolute(evaluated)
        write_plays(directory, plan, evaluated)
    return evaluated


def play(population: Population, plan: RunPlan, episodes: int, counter: int) -> Evaluated:
    """Greedy episodes of policies in a plan's environments; the same counter gives the same episodes."""
    streams = Streams.from_seeds(plan.seeds, plan.device).fold(EVALUATIONS, counter)
    with closing(plan.evaluation_environments(episodes)) as env:
        return evaluate_greedy(population, env, streams, episodes, plan.config.eval_max_steps)


class LoadedPolicy:
    """The trained joint policy of one run, for play and comparison.

    Args:
        population: a population of one.
        plan: how it was trained.
    """

    def __init__(self, population: Population, plan: RunPlan) -> None:
        self.plan = plan
        self._population = population
        self._spec = plan.policy_spec(plan.game())
        self._memory = population.no_memory(0, self._spec.n)

    def act(
        self, observations: Observations, priority: Tensor | None = None, streams: Streams | None = None
    ) -> Tensor:
        """Joint actions for a batch.

        A recurrent policy remembers from call to call; `reset` makes it forget.

        Args:
            observations: as `stmg_envs.vector_env` gives them, leading axis B.
            priority: LongTensor (B, n); identity by default.
            streams: randomness, one stream, for sampled decisions; greedy by default.

        Returns:
            LongTensor (B, n) or float (B, n, action_dim).
        """
        batch = observations["observation"].shape[0]
        device = self._population.device
        order = identity_priority(self._spec.n, batch, device) if priority is None else priority
        shape = (1, batch, self._spec.n, self._spec.action_width)
        if streams is None:
            noise = torch.zeros(shape, device=device)
        else:
            noise = decision_noise(self._spec.n, self._spec.action_width, self._spec.discrete)(streams, batch)
        inputs = policy_inputs(observations, order, 1)
        if self._memory.shape[-1]:
            if self._memory.shape[1] != batch:
                self._memory = self._population.no_memory(batch, self._spec.n)
            # Who is not in the game has nothing to remember when it enters.
            if "alive" in inputs:
                self._memory = torch.where(inputs["alive"].unsqueeze(-1), self._memory, 0.0)
            inputs["memory"] = self._memory
        decision = self._population.act(inputs, noise)
        self._memory = self._memory if decision.memory is None else decision.memory
        return decision.actions[0]

    def reset(self, where: Tensor | None = None) -> None:
        """Forget what was remembered of all episodes, or of those of a mask (B,): call it when they end.

        Policies without memory need no reset.
        """
        gone = torch.ones_like(self._memory[0, :, 0, 0], dtype=torch.bool) if where is None else where
        self._memory = torch.where(gone[None, :, None, None], 0.0, self._memory)


def load_policy(run_dir: str | Path, seed: int | None = None) -> LoadedPolicy:
    """The trained policy of one seed of a run.

    Args:
        run_dir: a run directory, or an entry of the zoo, such as "zoo/steer-penalty".
        seed: one of the run's seeds; the first by default.

    Raises:
        RunDirectoryError: if there is no run.
        CheckpointError: if its checkpoint is missing, damaged, or has no such seed.
    """
    directory = find_run(run_dir)
    plan = directory.plan()
    plan = of_seed(plan, plan.seeds[0] if seed is None else seed)
    return LoadedPolicy(load_population(directory, plan)[0], plan)


def of_seed(plan: RunPlan, seed: int) -> RunPlan:
    """The part of a plan that is one seed's.

    Raises:
        CheckpointError: if it has no such seed.
    """
    if seed not in plan.seeds:
        raise CheckpointError(f"seed={seed} is none of the run; expected one of {plan.seeds}")
    return replace(plan, seeds=(seed,))


def load_population(directory: RunDirectory, plan: RunPlan) -> tuple[Population, dict[str, Any]]:
    """The saved policies of the plan's seeds, and how far their training had come.

    Raises:
        CheckpointError: if the checkpoint is missing, damaged, or of another run.
    """
    tensors, progress = load_checkpoint(directory.checkpoint)
    sizes = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, sizes), plan.seeds, plan.device)
    try:
        rows = [progress["seeds"].index(seed) for seed in plan.seeds]
        population.load({name: tensors[f"policy.{name}"][rows] for name in population.parameters})
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{directory.checkpoint} does not fit the run ({error})") from None
    return population, progress
