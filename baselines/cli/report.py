"""`stmg report`: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from baselines.cli import options
from baselines.evaluation.report import read_run, write_report


@click.command(name="report")
@click.argument("run_dir", type=click.Path(file_okay=False, path_type=Path))
@click.option("--trust", **options.TRUST)
def command(run_dir: Path, trust: bool) -> None:
    """Write RUN_DIR/report.html: learning curves, final table, and what each run plays.

    Example: stmg report runs/penalty
    """
    click.echo(f"report: {write_report(read_run(run_dir, trust), run_dir / 'report.html')}")
