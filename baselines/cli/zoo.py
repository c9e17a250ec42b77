"""`stmg zoo`: trained policies that are kept under a name."""

from __future__ import annotations

import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from baselines.cli import options
from baselines.evaluation.numbers import compact
from baselines.runs.publish import publish
from baselines.runs.zoo import entry_results, zoo_entries


@click.group(name="zoo")
def command() -> None:
    """Trained policies, small enough to keep with the source: zoo/<name>.

    `stmg evaluate zoo/<name>` and `baselines.load_policy("zoo/<name>")` take them as they take runs.

    Example: stmg zoo list
    """


@command.command(name="list")
def list_command() -> None:
    """List the zoo: what was trained on what, and the results in fresh episodes with 95 % intervals.

    Example: stmg zoo list
    """
    table = Table(
        Column("policy", no_wrap=True),
        "algorithm",
        Column("task", overflow="fold"),
        "seed",
        Column("results", no_wrap=True),
        "kB",
        box=SIMPLE_HEAD,
    )
    for directory in zoo_entries():
        plan = directory.recorded()
        results = "\n".join(f"{name} {text}" for name, text in entry_results(directory).items())
        size = f"{directory.checkpoint.stat().st_size / 1000:.0f}"
        table.add_row(
            f"zoo/{directory.path.name}", plan.algorithm.name, plan.task, str(plan.seeds[0]), results, size
        )
    Console(width=max(132, Console().width)).print(table)


@command.command(name="add")
@click.argument("run_dir", type=click.Path(file_okay=False))
@click.argument("name")
@click.option("--seed", type=int, help="whose policy; by default the best by the final evaluation")
@click.option(
    "--episodes", type=click.IntRange(min=1), default=320, show_default=True, help="fresh, for its results"
)
@click.option("--trust", **options.TRUST)
def add_command(run_dir: str, name: str, seed: int | None, episodes: int, trust: bool) -> None:
    """Put one policy of RUN_DIR into zoo/NAME: its parameters, how it was made, and its results.

    Example: stmg zoo add runs/penalty steer-penalty
    """
    published = publish(run_dir, name, seed, episodes, trust)
    console = Console(soft_wrap=True, highlight=False)
    why = "as asked" if published.chosen_by is None else f"the best by {published.chosen_by}"
    console.print(f"seed {published.seed}, {why}")
    for metric, values in published.evaluated.as_metrics(0).items():
        console.print(f"{metric}: {compact(sum(values) / len(values))}")
    console.print(f"written to {published.path}")
