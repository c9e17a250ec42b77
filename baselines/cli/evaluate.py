"""`stmg evaluate`: absolute metrics of trained policies, and of somebody's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console

from baselines.cli import options
from baselines.cli.policies import evaluate_somebodys
from baselines.runs.api import evaluate
from baselines.runs.video import check_film, film
from baselines.runs.zoo import find_run

OF_RUNS = {
    "workers": "--workers",
    "write": "--write",
    "video": "--video",
    "seed": "--seed",
    "trust": "--trust",
}
OF_POLICIES = {
    "env_id": "--env",
    "env_args": "--env-arg",
    "policy_args": "--policy-arg",
    "seeds": "--seeds",
    "names": "--name",
    "salt": "--salt",
    "out": "--out",
}
LIMITS = {
    "decision_seconds": "--decision-seconds",
    "start_seconds": "--start-seconds",
    "total_seconds": "--total-seconds",
    "memory_gib": "--memory-gib",
}
"""Options that belong to one of the two forms of the command only, by their parameters."""


@click.command(name="evaluate")
@click.argument("run_dir", required=False, type=click.Path(file_okay=False))
@click.option("--episodes", type=click.IntRange(min=1), default=320, show_default=True, help="per run")
@click.option("--workers", **options.WORKERS)
@click.option("--write/--no-write", default=None, help="into results.json; by default but for zoo/<name>")
@click.option("--video", type=click.Path(dir_okay=False, path_type=Path), help="film an episode, .gif")
@click.option("--trust", default=None, **options.TRUST)
@click.option("--seed", type=int, help="which of the run's policies to film; the first by default")
@click.option(
    "--policy", "policies", multiple=True, help="somebody's own: package.module:Class; may be repeated"
)
@click.option("--env", "env_id", type=options.EnvId(), help="environment id, with --policy")
@options.env_arg
@click.option(
    "--policy-arg",
    "policy_args",
    type=options.Assignment(),
    multiple=True,
    help="argument of the class of --policy, for instance path=weights.npz; may be repeated",
)
@click.option("--seeds", type=options.Seeds(), help="a number or a list, with --policy; 10 by default")
@click.option(
    "--name", "names", multiple=True, help="name in the results, one per --policy; else the class's"
)
@click.option("--salt", help="of an earlier evaluation with --policy, to play its episodes again; else drawn")
@click.option(
    "--out", type=click.Path(path_type=Path), help="new folder, or .json file, of the results of --policy"
)
@click.option("--decision-seconds", type=float, help="for one call of a --policy; 1 by default")
@click.option("--start-seconds", type=float, help="to import and to make a --policy; 60 each by default")
@click.option("--total-seconds", type=float, help="for all calls of a --policy; 3600 by default")
@click.option("--memory-gib", type=float, help="for all processes of a --policy; 4 by default")
def command(run_dir: str | None, policies: tuple[str, ...], episodes: int, **given: Any) -> None:
    """Play greedy episodes with a run's policies and write absolute metrics to its results.json.

    RUN_DIR may be an entry of the zoo, zoo/<name>, whose files stay as they are without --write.

    With --policy, play them with somebody's own policies, each in a process of its own with limits on time
    and memory, and write a results file for stmg leaderboard. A policy that crashes or hangs is scored and
    reported as such. The episodes are new ones every time: they are made with a secret salt, which is written
    beside the results in the end.

    Example: stmg evaluate runs/penalty --episodes 320 --video penalty.gif

    Example: stmg evaluate --policy mine.agents:Careful --env stmg/Penalty-v0 --env-arg k=-100 --out mine
    """
    if (run_dir is None) == (not policies):
        raise click.UsageError(
            "expected either a run directory or --policy package.module:Class with --env ID"
        )
    for name, flag in (OF_RUNS if policies else OF_POLICIES | LIMITS).items():
        if given[name] not in (None, ()):
            form = "--policy" if policies else "a run directory"
            raise click.UsageError(f"{flag} does not go with {form}")
    if policies:
        limits = {name: given[name] for name in LIMITS if given[name] is not None}
        evaluate_somebodys(policies, episodes, limits=limits, **{name: given[name] for name in OF_POLICIES})
    else:
        assert run_dir is not None
        _evaluate_run(run_dir, episodes, **{name: given[name] for name in OF_RUNS})


def _evaluate_run(
    run_dir: str,
    episodes: int,
    workers: int | None,
    write: bool | None,
    video: Path | None,
    seed: int | None,
    trust: bool | None,
) -> None:
    directory = find_run(run_dir, bool(trust))
    if video is not None:
        check_film(video, directory.plan())
    evaluated = evaluate(run_dir, episodes, workers, write, directory.trust)
    console = Console(soft_wrap=True, highlight=False)
    returns = evaluated.returns.mean(axis=(1, 2))
    console.print(f"mean greedy return over {len(returns)} runs x {episodes} episodes: {returns.mean():.6g}")
    if evaluated.optimal is not None:
        optimal = int(evaluated.optimal.all(axis=1).sum())
        console.print(f"known optimum reached: {optimal}/{len(returns)} runs")
    for name, values in evaluated.metrics.items():
        console.print(f"{name}: {values.mean():.6g}")
    if not directory.published if write is None else write:
        console.print(f"written to {directory.results}")
    if video is not None:
        console.print(f"film of {film(run_dir, video, seed, trust=directory.trust)} pictures: {video}")
