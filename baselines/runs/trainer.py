"""The training loop: collect, update, evaluate, save."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch

from baselines.errors import CheckpointError
from baselines.evaluation.goal import Goal
from baselines.evaluation.greedy import Evaluated, evaluate_greedy
from baselines.evaluation.results import ResultsFile, write_json
from baselines.runs.directory import RunDirectory
from baselines.runs.interrupt import StopRequest
from baselines.runs.plan import RunPlan
from baselines.training.checkpoint import load_checkpoint, prefixed, save_checkpoint, under
from baselines.training.finite import FiniteCheck
from baselines.training.memory import keep_freed_memory
from baselines.training.metrics import MetricsLog
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from baselines.training.trackers import TensorBoard, Tracker
from stmg_envs.protocol import Streams

ENVIRONMENTS, DECISIONS, UPDATES, EVALUATIONS = range(1, 5)
"""Purposes of a run's random streams. All its randomness is a function of (seed, purpose, counter)."""
ABSOLUTE = 2**31
"""Counter of the final evaluation's streams, beyond all updates."""
FRESH = ABSOLUTE + 1
"""Counter of the evaluation of a published policy, which was chosen by its final evaluation."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands, for people who watch it.

    Attributes:
        step: environment steps per run so far.
        total_steps: environment steps per run in all.
        mean_return: mean over runs of the last evaluation.
        optimal: runs whose policy was optimal at the last evaluation, or None if no optimum is known.
        runs: K.
        lost: episodes lost so far, in training and evaluation, of all runs.
    """

    step: int
    total_steps: int
    mean_return: float
    optimal: int | None
    runs: int
    lost: int


class Trainer:
    """Trains a plan in a run directory.

    Args:
        plan: what to do.
        directory: where to write; it exists.
        resume: continue from the directory's checkpoint.
        trackers: told of the course of training besides TensorBoard; closed at its end.

    Raises:
        CheckpointError: on resuming from a missing or damaged checkpoint.
    """

    def __init__(
        self, plan: RunPlan, directory: RunDirectory, resume: bool = False, trackers: Sequence[Tracker] = ()
    ) -> None:
        config = plan.config
        self.trackers = trackers
        self.goal = Goal.parse(config.goal)
        self.plan = plan
        self.directory = directory
        env = plan.environments(config.num_envs, config.lanes)
        sizes = plan.policy_spec(env.game)
        self.population = Population(lambda: plan.algorithm.build(config, sizes), plan.seeds, plan.device)
        self.learner = plan.algorithm.learner(config, self.population, sizes.n)
        self.streams = Streams.from_seeds(plan.seeds, plan.device)
        noise = decision_noise(sizes.n, sizes.action_width, sizes.discrete)
        self.collector = self.learner.collector(env, noise)
        self.evaluation_env = plan.evaluation_environments(config.eval_episodes)
        self.finite = FiniteCheck(plan.seeds, env.agents)
        self.updates_done = 0
        self.elapsed = 0.0
        self.lost = np.zeros(len(plan.seeds), np.int64)
        self.resumed = resume
        if resume:
            self._load()
            # It would be of another policy until the end of training.
            directory.plays.unlink(missing_ok=True)
        else:
            seeds = self.streams.fold(ENVIRONMENTS).split(config.num_envs).keys
            self.collector.observations, _ = env.reset(seed=seeds)

    @property
    def step(self) -> int:
        """Environment steps per run so far."""
        return self.updates_done * self.plan.config.batch

    def run(self, watch: Callable[[Progress], None] | None = None) -> Evaluated:
        """Train to the end, to the goal, or until interrupted; either way the directory can be resumed.

        Args:
            watch: called after every update.

        Returns:
            The evaluation of the final policies.

        Raises:
            ConfigError: if the goal is no metric of the evaluations.
            NotFiniteError: if a number that is learned from, or a parameter, is NaN or infinite; the last
                checkpoint is from before that.
            KeyboardInterrupt: after saving, if one was asked for.
        """
        with closing(self.collector.env), closing(self.evaluation_env):
            return self._run(watch)

    def _run(self, watch: Callable[[Progress], None] | None) -> Evaluated:
        keep_freed_memory()
        plan, config = self.plan, self.plan.config
        keep_until = self.step if self.updates_done else -1
        results = ResultsFile(self.directory.results, plan.task, plan.algorithm.name, plan.seeds, keep_until)
        trackers = [TensorBoard(self.directory.path, keep_until), *self.trackers]
        log = MetricsLog(self.directory.path, plan.seeds, trackers, keep_until)
        started = time.perf_counter() - self.elapsed
        evaluated = self._evaluate(self.updates_done)
        if self.goal is not None:
            self.goal.check(evaluated.as_metrics(0))
        if self.resumed:
            self.directory.resumed(plan, self.step)
        if self.updates_done == 0:
            results.add(0, 0.0, evaluated)
        finished = self._finished(results)
        try:
            with StopRequest() as stop:
                while not finished:
                    before = self.step
                    metrics = self._update()
                    self.elapsed = time.perf_counter() - started
                    log.write(self.step, self.elapsed, metrics)
                    self.finite.parameters(self.step, self.population.parameters, metrics)
                    last = self.updates_done == config.updates
                    if last or self.step // config.eval_interval > before // config.eval_interval:
                        evaluated = self._evaluate(self.updates_done)
                        results.add(self.step, self.elapsed, evaluated)
                        log.track(self.step, evaluated.means())
                        self._save()
                        finished = self._finished(results)
                    if watch is not None:
                        watch(self._progress(evaluated))
                    if stop.requested and not last:
                        self._save()
                        raise KeyboardInterrupt
        finally:
            log.close()
        final = self._evaluate(ABSOLUTE)
        results.set_absolute(final)
        write_plays(self.directory, plan, final)
        return final

    def _finished(self, results: ResultsFile) -> bool:
        reached = self.goal is not None and self.goal.reached(results.curve(self.goal.metric))
        return reached or self.updates_done == self.plan.config.updates

    def _update(self) -> dict[str, torch.Tensor]:
        decisions, updates = (
            self.streams.fold(purpose, self.updates_done) for purpose in (DECISIONS, UPDATES)
        )
        progress = self.updates_done / self.plan.config.updates
        batch, rollout_metrics = self.collector.collect(decisions, progress)
        if "lost_episodes" in rollout_metrics:
            self.lost += rollout_metrics["lost_episodes"].long().cpu().numpy()
        alive, quantities = self.collector.quantities(batch)
        self.finite.decisions(f"the rollout after step {self.step}", alive, **quantities)
        metrics = self.learner.update(batch, progress, updates)
        self.updates_done += 1
        return rollout_metrics | metrics

    def _evaluate(self, counter: int) -> Evaluated:
        """Greedy episodes; what was lost counts from the start of training."""
        streams = self.streams.fold(EVALUATIONS, counter)
        config = self.plan.config
        evaluated = evaluate_greedy(
            self.population, self.evaluation_env, streams, config.eval_episodes, config.eval_max_steps
        )
        if evaluated.lost is None:
            return evaluated
        self.lost += evaluated.lost
        return replace(evaluated, lost=self.lost.copy())

    def _progress(self, evaluated: Evaluated) -> Progress:
        optimal = None if evaluated.optimal is None else int(evaluated.optimal.all(axis=1).sum())
        mean_return = float(np.mean(evaluated.returns))
        runs = len(self.plan.seeds)
        return Progress(
            self.step, self.plan.config.planned_steps, mean_return, optimal, runs, int(self.lost.sum())
        )

    def _save(self) -> None:
        environments = self.collector.env.snapshot()
        tensors = self.learner.state() | prefixed("env.", environments)
        tensors |= prefixed("carried.", self.collector.carried())
        progress = {"updates": self.updates_done, "elapsed": self.elapsed, "seeds": list(self.plan.seeds)}
        progress["lost"] = self.lost.tolist()
        save_checkpoint(self.directory.checkpoint, tensors, progress)

    def _load(self) -> None:
        tensors, progress = load_checkpoint(self.directory.checkpoint)
        try:
            self.learner.load(tensors)
            observations = self.collector.env.restore(under("env.", tensors))
            self.collector.restore(observations, under("carried.", tensors))
            self.updates_done, self.elapsed = progress["updates"], progress["elapsed"]
            self.lost = np.array(progress.get("lost", self.lost))
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.directory.checkpoint} does not fit the run ({error}); it belongs to another network"
            ) from None


def write_plays(directory: RunDirectory, plan: RunPlan, evaluated: Evaluated) -> None:
    """Write the first greedy episode of every run: its joint actions and each agent's return."""
    plays = {}
    for k, seed in enumerate(plan.seeds):
        actions, returns = evaluated.actions[k].tolist(), evaluated.returns[k, 0].tolist()
        plays[f"seed_{seed}"] = {"actions": actions, "returns": returns}
    write_json(directory.plays, plays)
