"""What people see of a training: a progress bar, and a summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from baselines.runs import trainer
from baselines.runs.api import TrainedRun
from stmg_envs.equilibria import same_returns, stackelberg_returns
from stmg_envs.matrix import StageGame

LINES = 10
"""Lines printed in all where the output is no terminal."""


def _state(progress: trainer.Progress) -> str:
    optimal = "" if progress.optimal is None else f", optimal {progress.optimal}/{progress.runs}"
    lost = f", {progress.lost} episodes lost" if progress.lost else ""
    return f"return {progress.mean_return:.4g}{optimal}{lost}"


@contextmanager
def watching(title: str) -> Iterator[Callable[[trainer.Progress], None]]:
    """A progress bar on a terminal, a few lines elsewhere.

    Args:
        title: what is being done.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        printed = 0

        def tell(progress: trainer.Progress) -> None:
            nonlocal printed
            due = progress.step * LINES // progress.total_steps
            if due > printed:
                printed = due
                console.print(f"{title}: step {progress.step}/{progress.total_steps}, {_state(progress)}")

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=None, state="")

        def show(progress: trainer.Progress) -> None:
            bar.update(task, completed=progress.step, total=progress.total_steps, state=_state(progress))

        yield show


def print_summary(trained: TrainedRun) -> None:
    """Print how many runs reached the optimum and the equilibrium, and where everything lies."""
    evaluated, plan = trained.evaluated, trained.plan
    console = Console(soft_wrap=True, highlight=False)
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
