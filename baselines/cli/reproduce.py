"""`stmg reproduce`: regenerate a published table, or continue doing so."""

from __future__ import annotations

import re
from pathlib import Path

import rich_click as click
import torch

from baselines.cli import options
from baselines.cli.watch import watching
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.page import write_page
from baselines.reproduce.run import run_cells


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The parts between commas, but for those inside parentheses, which belong to a task's name."""
    return tuple(part for part in re.split(r",(?![^(]*\))", value or "") if part)


@click.command(name="reproduce")
@click.argument("experiment", type=click.Choice(list(EXPERIMENTS)))
@click.option("--runs", type=click.IntRange(min=1), help="seeds per cell; each cell's own number by default")
@click.option("--algorithms", callback=_names, help="only these, separated by commas")
@click.option("--games", callback=_names, help="only these tasks, separated by commas: 'mixing,penalty(k=0)'")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="[docs/results/EXPERIMENT]")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="[runs/reproduce/EXPERIMENT]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ...")
@click.option("--threads", **options.THREADS)
def command(
    experiment: str,
    runs: int | None,
    algorithms: tuple[str, ...],
    games: tuple[str, ...],
    out: Path | None,
    work: Path | None,
    device: str,
    threads: int,
) -> None:
    """Run whatever is missing of an experiment and write its results, tables and figure.

    Stop it at any time; the same command continues. Finished cells are kept as long as their
    configuration is the present one. Small networks gain little from a second thread: commands for different
    cells side by side, with --threads 1 each, are faster.

    Example: stmg reproduce table1 --algorithms steer --games "penalty(k=-100),mixing"
    """
    torch.set_num_threads(threads)
    chosen = EXPERIMENTS[experiment]()
    archive = Archive(out or Path("docs/results") / experiment)
    try:
        run_cells(
            chosen.select(algorithms, games),
            archive,
            work or Path("runs/reproduce") / experiment,
            watching,
            runs,
            device,
        )
    finally:
        if archive.manifest:
            click.echo(f"page: {write_page(chosen, archive)}")
