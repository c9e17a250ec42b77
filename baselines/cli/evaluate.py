"""`stmg evaluate`: absolute metrics of trained policies."""

from __future__ import annotations

import rich_click as click
from rich.console import Console

from baselines.runs.api import evaluate


@click.command(name="evaluate")
@click.argument("run_dir", type=click.Path(file_okay=False))
@click.option("--episodes", type=click.IntRange(min=1), default=320, show_default=True, help="per run")
def command(run_dir: str, episodes: int) -> None:
    """Play greedy episodes with a run's policies and write absolute metrics to its results.json.

    Example: stmg evaluate runs/penalty --episodes 320
    """
    evaluated = evaluate(run_dir, episodes)
    console = Console(soft_wrap=True, highlight=False)
    returns = evaluated.returns.mean(axis=(1, 2))
    console.print(f"mean greedy return over {len(returns)} runs x {episodes} episodes: {returns.mean():.6g}")
    if evaluated.optimal is not None:
        optimal = int(evaluated.optimal.all(axis=1).sum())
        console.print(f"known optimum reached: {optimal}/{len(returns)} runs")
    console.print(f"written to {run_dir}/results.json")
