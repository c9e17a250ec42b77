"""`stmg evaluate`: absolute metrics of trained policies."""

from __future__ import annotations

from pathlib import Path

import rich_click as click
from rich.console import Console

from baselines.cli import options
from baselines.runs.api import evaluate
from baselines.runs.video import check_film_path, film


@click.command(name="evaluate")
@click.argument("run_dir", type=click.Path(file_okay=False))
@click.option("--episodes", type=click.IntRange(min=1), default=320, show_default=True, help="per run")
@click.option("--workers", **options.WORKERS)
@click.option("--video", type=click.Path(dir_okay=False, path_type=Path), help="film an episode, .gif")
@click.option("--seed", type=int, help="which of the run's policies to film; the first by default")
def command(run_dir: str, episodes: int, workers: int | None, video: Path | None, seed: int | None) -> None:
    """Play greedy episodes with a run's policies and write absolute metrics to its results.json.

    Example: stmg evaluate runs/penalty --episodes 320 --video penalty.gif
    """
    if video is not None:
        check_film_path(video)
    evaluated = evaluate(run_dir, episodes, workers)
    console = Console(soft_wrap=True, highlight=False)
    returns = evaluated.returns.mean(axis=(1, 2))
    console.print(f"mean greedy return over {len(returns)} runs x {episodes} episodes: {returns.mean():.6g}")
    if evaluated.optimal is not None:
        optimal = int(evaluated.optimal.all(axis=1).sum())
        console.print(f"known optimum reached: {optimal}/{len(returns)} runs")
    console.print(f"written to {run_dir}/results.json")
    if video is not None:
        console.print(f"film of {film(run_dir, video, seed)} pictures: {video}")
