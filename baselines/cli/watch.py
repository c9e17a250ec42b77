"""What people see of a training: a progress bar, how to go on after Ctrl-C, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.filesize import pick_unit_and_suffix
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from baselines.algorithms.config import RunConfig
from baselines.cli.silence import PatientConsole, silent
from baselines.runs import trainer
from baselines.runs.api import TrainedRun
from baselines.runs.directory import RunDirectory
from baselines.runs.interrupt import Stopped
from stmg_envs.equilibria import same_returns, stackelberg_returns
from stmg_envs.matrix import StageGame

LINES = 10
"""Lines printed in all where the output is no terminal."""


def _going_on(path: Path) -> str:
    return RunDirectory(path).going_on()


@contextmanager
def watching(
    title: str, going_on: Callable[[Path], str] = _going_on
) -> Iterator[Callable[[trainer.Progress], None]]:
    """A progress bar on a terminal, a few lines elsewhere; after an interrupt, how to go on.

    Args:
        title: what is being done.
        going_on: tells the command that goes on with a run directory.
    """
    console = PatientConsole(stderr=True)
    try:
        if console.is_terminal:
            with _bar(title, console) as show:
                yield show
        else:
            yield _unheard(_Lines(title, console))
    except KeyboardInterrupt as interrupt:
        for stopped in interrupt.args:
            if isinstance(stopped, Stopped):
                text = f"{stopped}; nothing is lost. Go on with:\n  {going_on(stopped.path)}"
                console.print(text, soft_wrap=True, markup=False, highlight=False)
        raise


def _unheard(show: Callable[[trainer.Progress], None]) -> Callable[[trainer.Progress], None]:
    """The same, which goes on where nobody reads any more, or the disk behind the output is full."""

    def tell(progress: trainer.Progress) -> None:
        with silent():
            show(progress)

    return tell


@contextmanager
def _bar(title: str, console: Console) -> Iterator[Callable[[trainer.Progress], None]]:
    """The title and below it a bar that fits into 80 columns."""
    console.print(title, markup=False, highlight=False)
    columns = (
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
        _Steps(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=console, expand=True) as bar:
        task = bar.add_task("", total=None, state="")

        def show(progress: trainer.Progress) -> None:
            if bar.tasks[0].total is None:
                # What was done before this process began is no measure of its speed.
                bar.reset(task, completed=progress.step)
            bar.update(task, completed=progress.step, total=progress.total_steps, state=_state(progress))

        yield show


class _Steps(ProgressColumn):
    """How far a training is, how fast, and how long it will take."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("first update ...")
        speed = task.finished_speed or task.speed
        text = f"{_short(task.completed)}/{_short(task.total)} steps"
        if speed:
            text += f", {_short(speed)}/s"
        if task.time_remaining is not None and not task.finished:
            text += f", {timedelta(seconds=round(task.time_remaining))} left"
        return Text(text)


class _Lines:
    """A line for every tenth of a training."""

    def __init__(self, title: str, console: Console) -> None:
        self.title = title
        self.console = console
        self.printed = 0
        self.first: tuple[int, float] | None = None

    def __call__(self, progress: trainer.Progress) -> None:
        now = time.monotonic()
        step, began = self.first = self.first or (progress.step, now)
        due = progress.step * LINES // progress.total_steps
        if due <= self.printed:
            return
        self.printed = due
        speed = (progress.step - step) / (now - began) if progress.step > step else 0.0
        pace = f", {_short(speed)}/s" if speed else ""
        rest = progress.total_steps - progress.step
        if speed and rest:
            pace += f", {timedelta(seconds=round(rest / speed))} left"
        self.console.print(
            f"{self.title}: step {progress.step}/{progress.total_steps}{pace}, {_state(progress)}",
            soft_wrap=True,
            markup=False,
        )


def _short(number: float) -> str:
    """A number of at most three digits and a unit: 1.25M."""
    unit, suffix = pick_unit_and_suffix(int(number), ["", "k", "M", "G"], 1000)
    return f"{number / unit:.3g}{suffix}"


def _state(progress: trainer.Progress) -> str:
    optimal = "" if progress.optimal is None else f", optimal {progress.optimal}/{progress.runs}"
    lost = f", {progress.lost} episodes lost" if progress.lost else ""
    return f"return {progress.mean_return:.4g}{optimal}{lost}"


def say_rounding(config: RunConfig) -> None:
    """Say so if a training will not have as many steps as were asked for."""
    if config.planned_steps != config.total_steps:
        PatientConsole(stderr=True, soft_wrap=True, highlight=False).print(
            f"{config.total_steps:,} steps are rounded to {config.planned_steps:,}: an update takes "
            f"{config.batch:,}, {config.rollout_steps:,} in each of {config.num_envs:,} environments"
        )


def print_summary(trained: TrainedRun) -> None:
    """Print how many runs reached the optimum and the equilibrium, and where everything lies."""
    evaluated, plan = trained.evaluated, trained.plan
    console = PatientConsole(soft_wrap=True, highlight=False)
    runs = len(plan.seeds)
    returns = evaluated.returns.mean(axis=(1, 2))
    console.print(f"{plan.algorithm.name} on {plan.task}, {runs} runs of {trained.steps} steps")
    if trained.steps < plan.config.planned_steps:
        console.print(f"ended before {plan.config.total_steps} steps: {plan.config.goal} reached")
    spread = f"lowest {returns.min():.4g}, highest {returns.max():.4g}"
    console.print(f"mean greedy return: {returns.mean():.4g} ({spread})")
    if evaluated.optimal is not None:
        console.print(f"known optimum reached: {int(evaluated.optimal.all(axis=1).sum())}/{runs} runs")
    if evaluated.lost is not None and evaluated.lost.any():
        console.print(f"episodes lost with their workers: {evaluated.lost.sum()}")
    game = plan.game()
    if isinstance(game, StageGame) and game.max_steps is None and plan.priority != "random":
        names = plan.priority if isinstance(plan.priority, tuple) else game.default_priority
        order = [game.agents.index(name) for name in names]
        target = stackelberg_returns(game.table, order)
        count = int(same_returns(evaluated.returns, target, game.return_scale()).all(axis=1).sum())
        console.print(f"exact Stackelberg equilibrium reached: {count}/{runs} runs")
    console.print(f"run directory: {trained.path}")
