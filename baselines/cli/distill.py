"""`stmg distill`: decentralised students of a run's policies."""

from __future__ import annotations

from typing import Any

import rich_click as click
import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from baselines.cli import options
from baselines.cli.watch import watching
from baselines.distillation.config import DistillationConfig
from baselines.evaluation.comparison import compared_over
from baselines.runs.distill import TITLES, Distilled, distill


def _run(
    run_dir: str,
    seed: int | None,
    episodes: int,
    workers: int | None,
    threads: int,
    out: str | None,
    resume: bool,
    trust: bool,
    **config: Any,
) -> None:
    torch.set_num_threads(threads)
    chosen = {name: value for name, value in config.items() if value is not None}
    with watching(f"students of {run_dir}") as watch:
        distilled = distill(
            run_dir,
            seed=seed,
            out=out,
            episodes=episodes,
            workers=workers,
            resume=resume,
            watch=watch,
            trust=trust,
            **chosen,
        )
    _print(distilled)


def _print(distilled: Distilled) -> None:
    table = Table(*TITLES, box=SIMPLE_HEAD)
    for row in distilled.compared():
        table.add_row(*row.cells())
    Console(width=110).print(table)
    click.echo(f"in parentheses 95 % intervals {compared_over(len(distilled.plan.seeds))}")
    click.echo(f"run directory: {distilled.path}")


command = click.RichCommand(
    name="distill",
    callback=_run,
    params=[
        click.Argument(["run_dir"], type=click.Path(file_okay=False)),
        click.Option(["--seed"], type=int, help="one of the run's seeds; all of them by default"),
        click.Option(
            ["--episodes"],
            type=click.IntRange(min=1),
            default=320,
            show_default=True,
            help="per run, to compare teacher and students in",
        ),
        click.Option(["--workers"], **options.WORKERS),
        click.Option(["--threads"], **options.THREADS),
        click.Option(["--out"], **options.OUT),
        click.Option(["--resume"], is_flag=True, help="continue the distillation in --out"),
        click.Option(["--trust"], **options.TRUST),
        *options.config_options(DistillationConfig),
    ],
    help="Train students of a run's policies: separate agents that see their own observations alone.\n\n"
    "The students' directory is a run directory like any other; comparison.md in it has teacher and students "
    "side by side.\n\n"
    "Example: stmg distill runs/cooperation --out runs/cooperation-students",
)
