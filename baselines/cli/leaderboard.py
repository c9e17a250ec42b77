"""`stmg leaderboard`: results files, compared on a small web site."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from baselines.leaderboard.site import write_site
from baselines.runs.zoo import find_folder


@click.command(name="leaderboard")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="folder of the site",
)
def command(results: tuple[Path, ...], out: Path) -> None:
    """Compare RESULTS, files or folders searched for results.json, on a site that needs no network.

    Every file is checked. Scores are normalised by the registry's bounds and averaged over suites of tasks:
    IQM, median, mean and optimality gap with bootstrap intervals, probabilities of improvement, performance
    profiles, sample efficiency. Films and stills (.gif, .mp4, .png) beside the results are shown as well.

    Example: stmg leaderboard docs/results runs/mine --out site
    """
    site = write_site([find_folder(path) for path in results], out)
    click.echo(f"{site.entries} results on {len(site.pages)} tasks: {site.index}")
