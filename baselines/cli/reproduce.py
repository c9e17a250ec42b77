"""`stmg reproduce`: regenerate a published table, continue doing so, or check it."""

from __future__ import annotations

import random
import re
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import rich_click as click
import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from baselines.cli import options
from baselines.cli.watch import watching
from baselines.reproduce.archive import Archive
from baselines.reproduce.check import Checked, Checker, Verdict, draw_samples
from baselines.reproduce.experiment import Cell
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.page import write_page
from baselines.reproduce.plays import Plays, play_missing
from baselines.reproduce.run import run_cells
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import default_threads

THREADS = options.THREADS | {
    "default": None,
    "show_default": "OMP_NUM_THREADS, or 1; of a check, as many as recorded",
}
WIDTH = 120


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The parts between commas, but for those inside parentheses, which belong to a task's name."""
    return tuple(part for part in re.split(r",(?![^(]*\))", value or "") if part)


@click.command(name="reproduce")
@click.argument("experiment", type=click.Choice(list(EXPERIMENTS)))
@click.option("--runs", type=click.IntRange(min=1), help="seeds per cell; each cell's own number by default")
@click.option("--algorithms", callback=_names, help="only these, separated by commas")
@click.option("--games", callback=_names, help="only these tasks, separated by commas: 'mixing,penalty(k=0)'")
@click.option(
    "--check", type=click.IntRange(min=1), help="train so many runs of the results again and compare them"
)
@click.option("--check-seed", type=click.IntRange(min=0), help="which runs; drawn and printed by default")
@click.option("--page", is_flag=True, help="train nothing, only write the page")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="[docs/results/EXPERIMENT]")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="[runs/reproduce/EXPERIMENT]")
@click.option("--device", help="cpu, cuda, ... [default: cpu; of a check, the recorded one]")
@click.option("--threads", **THREADS)
def command(
    experiment: str,
    runs: int | None,
    algorithms: tuple[str, ...],
    games: tuple[str, ...],
    check: int | None,
    check_seed: int | None,
    page: bool,
    out: Path | None,
    work: Path | None,
    device: str | None,
    threads: int | None,
) -> None:
    """Run whatever is missing of an experiment and write its results, tables and figure.

    Players that learn nothing, which some experiments set beside the learners, play first.

    Stop it at any time; the same command continues. Finished cells are kept as long as their
    configuration is the present one. Small networks gain little from a second thread: commands for different
    cells side by side, with --threads 1 each, are faster.

    With --check, runs drawn from what is there are trained again, by the recipe and with the threads in
    manifest.json, and every number of their evaluations is compared. A run that differs is trained once more
    with the seeds that it was trained with. Nothing is written; the exit status is 1 unless all are the same.

    Example: stmg reproduce table1 --algorithms steer --games "penalty(k=-100),mixing"
    """
    chosen = EXPERIMENTS[experiment]()
    cells = chosen.select(algorithms, games)
    players = chosen.select_players(algorithms, games)
    archive = Archive(out or Path("docs/results") / experiment)
    if check is not None:
        if runs or page or work:
            raise click.UsageError("--check trains what is there: it goes without --runs, --page and --work")
        if not _check(cells, archive, check, check_seed, device, threads):
            raise SystemExit(1)
        return
    if check_seed is not None:
        raise click.UsageError("--check-seed says which runs --check draws: give --check too")
    if page and not archive.manifest:
        raise InvalidArgumentError(f"{archive.folder} has no results to write a page of; run the experiment")
    try:
        if not page:
            torch.set_num_threads(threads or default_threads())
            where = work or Path("runs/reproduce") / experiment
            same = shlex.join(["stmg", *sys.argv[1:]])
            opening = partial(watching, going_on=lambda _: same)
            play_missing(players, Plays(archive.folder), click.echo)
            run_cells(cells, archive, where, opening, runs, device or "cpu")
    finally:
        if archive.manifest:
            click.echo(f"page: {write_page(chosen, archive)}")


def _check(
    cells: Sequence[Cell],
    archive: Archive,
    count: int,
    seed: int | None,
    device: str | None,
    threads: int | None,
) -> bool:
    """Check runs and print what became of each; whether all came out again."""
    seed = random.randrange(2**16) if seed is None else seed
    samples = draw_samples(cells, archive, count, seed)
    with TemporaryDirectory() as work:
        checker = Checker(archive, Path(work), watching, threads, device)
        checked = [
            checker.check(sample, f"[{number}/{len(samples)}]")
            for number, sample in enumerate(samples, start=1)
        ]
    _print(checked, seed)
    return all(one.verdict.passed for one in checked)


def _print(checked: Sequence[Checked], seed: int) -> None:
    console = Console(width=max(WIDTH, Console().width), highlight=False)
    table = Table(Column("cell", overflow="fold"), "seed", "verdict", box=SIMPLE_HEAD)
    for one in checked:
        table.add_row(one.sample.cell.key, str(one.sample.seed), one.verdict)
    console.print(table)
    passed = sum(one.verdict.passed for one in checked)
    console.print(f"{passed} of {len(checked)} came out again, drawn with --check-seed {seed}")
    for elsewhere in dict.fromkeys(one.elsewhere for one in checked if one.verdict is Verdict.DIFFERS):
        console.print(f"not as recorded: {'; '.join(elsewhere) or 'nothing'}", soft_wrap=True)
