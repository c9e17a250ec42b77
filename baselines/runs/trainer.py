"""The training loop: update, evaluate, save."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from baselines.algorithms.learner import Learner
from baselines.errors import CheckpointError, ConfigError
from baselines.evaluation.goal import Goal
from baselines.evaluation.greedy import Evaluated
from baselines.evaluation.results import ResultsFile
from baselines.runs.blocks import Blocks, BlocksHere
from baselines.runs.directory import RunDirectory
from baselines.runs.interrupt import Stopped, StopRequest
from baselines.runs.plan import RunPlan
from baselines.runs.saved import SavedProgress, load_training, save_training
from baselines.storage import write_json
from baselines.training.metrics import MetricsLog
from baselines.training.trackers import TensorBoard, Tracker

ABSOLUTE = 2**31
"""Counter of the final evaluation's streams, beyond all updates."""
FRESH = ABSOLUTE + 1
"""Counter of the evaluation of a published policy, which was chosen by its final evaluation."""


SAVE_SECONDS = 300.0
"""Between two checkpoints at most, but for the update under way, however far evaluations are apart."""


class Pause:
    """When updates are to pause: somebody wants to stop, or it is time for a checkpoint.

    Args:
        stop: who wants to stop.
        seconds: from now to the next checkpoint.
    """

    def __init__(self, stop: StopRequest, seconds: float) -> None:
        self._stop, self._due = stop, time.monotonic() + seconds

    def requested(self) -> bool:
        """Whether it is time."""
        return self._stop.requested or time.monotonic() >= self._due


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
        resume: continue from the directory's checkpoint; what stopped before its first one begins again.
        trackers: told of the course of training besides TensorBoard; closed at its end.
        blocks: those of the plan's seeds; by default all are trained together, in this process.

    Raises:
        CheckpointError: on resuming from a missing or damaged checkpoint.
    """

    def __init__(
        self,
        plan: RunPlan,
        directory: RunDirectory,
        resume: bool = False,
        trackers: Sequence[Tracker] = (),
        blocks: Blocks | None = None,
    ) -> None:
        self.trackers = trackers
        self.goal = Goal.parse(plan.config.goal)
        self.plan = plan
        self.directory = directory
        self.updates_done = 0
        self.elapsed = 0.0
        self.lost = np.zeros(len(plan.seeds), np.int64)
        self.resumed = resume and directory.begun
        self.blocks: Blocks = BlocksHere([plan]) if blocks is None else blocks
        try:
            if self.resumed:
                self._load()
            else:
                self.blocks.begin()
        except BaseException:
            self.blocks.close()
            raise

    @property
    def learner(self) -> Learner:
        """What updates the policies, to be looked into.

        Raises:
            ConfigError: if several blocks train them, or other processes do, each with a learner of its own.
        """
        if not isinstance(self.blocks, BlocksHere) or len(self.blocks.blocks) > 1:
            raise ConfigError("blocks of seeds have a learner each; expected one block, in this process")
        return self.blocks.blocks[0].learner

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
            TrainingProcessError: if a process that trains some of the seeds ends by itself.
            KeyboardInterrupt: of `Stopped`, after saving, if one was asked for.
        """
        with closing(self.blocks):
            return self._run(watch)

    def _run(self, watch: Callable[[Progress], None] | None) -> Evaluated:
        plan, config = self.plan, self.plan.config
        keep_until = self.step if self.updates_done else -1
        results = ResultsFile(self.directory.results, plan.task, plan.algorithm.name, plan.seeds, keep_until)
        trackers = [TensorBoard(self.directory.path, keep_until), *self.trackers]
        log = MetricsLog(self.directory.path, plan.seeds, trackers, keep_until)
        started = time.perf_counter() - self.elapsed
        # Trackers write from threads of their own, which must not outlive what they write into.
        with closing(log):
            evaluated = self._evaluate(self.updates_done)
            if self.goal is not None:
                self.goal.check(evaluated.as_metrics(0))
            if self.resumed:
                self.directory.resumed(plan, self.step)
                # It would be of another policy until the end of training.
                self.directory.plays.unlink(missing_ok=True)
            if self.updates_done == 0:
                results.add(0, 0.0, evaluated)
                # Whenever it ends from now on there is something to go on with.
                self._save(log)
            with StopRequest() as stop:
                while not self._finished(results):
                    due = self._next_evaluation()
                    pause = Pause(stop, SAVE_SECONDS)
                    for metrics in self.blocks.advance(due, pause.requested):
                        self.updates_done += 1
                        self._count_lost(metrics)
                        self.elapsed = time.perf_counter() - started
                        log.write(self.step, self.elapsed, metrics)
                        if watch is not None and self.updates_done < due:
                            watch(self._progress(evaluated))
                    if self.updates_done == due:
                        evaluated = self._evaluate(self.updates_done)
                        results.add(self.step, self.elapsed, evaluated)
                        log.track(self.step, evaluated.means())
                    self._save(log)
                    if watch is not None and self.updates_done == due:
                        watch(self._progress(evaluated))
                    if stop.requested and self.updates_done < config.updates:
                        # This type itself, for which an interpreter ends as interrupted programs do.
                        raise KeyboardInterrupt(Stopped(self.directory.path, self.step, config.planned_steps))
        final = self._evaluate(ABSOLUTE)
        results.set_absolute(final)
        write_plays(self.directory, plan, final)
        return final

    def _finished(self, results: ResultsFile) -> bool:
        reached = self.goal is not None and self.goal.reached(results.curve(self.goal.metric))
        return reached or self.updates_done == self.plan.config.updates

    def _next_evaluation(self) -> int:
        """After how many updates: the first that reach the next multiple of the interval, or the last."""
        config = self.plan.config
        multiple = (self.step // config.eval_interval + 1) * config.eval_interval
        return min(-(-multiple // config.batch), config.updates)

    def _count_lost(self, metrics: dict[str, Tensor]) -> None:
        if "lost_episodes" in metrics:
            self.lost += metrics["lost_episodes"].long().cpu().numpy()

    def _evaluate(self, counter: int) -> Evaluated:
        """Greedy episodes; what was lost counts from the start of training."""
        evaluated = self.blocks.evaluate(counter)
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

    def _save(self, log: MetricsLog) -> None:
        log.sync()
        progress: SavedProgress = {
            "updates": self.updates_done,
            "elapsed": self.elapsed,
            "seeds": list(self.plan.seeds),
            "lost": self.lost.tolist(),
        }
        save_training(self.directory, self.plan, self.blocks.state(), progress)

    def _load(self) -> None:
        tensors, progress = load_training(self.directory)
        try:
            self.blocks.load(tensors, progress["updates"])
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
