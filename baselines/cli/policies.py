"""What `stmg evaluate --policy` does: evaluates, writes, and prints one row per policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def evaluate_somebodys(
    policies: Sequence[str],
    episodes: int,
    *,
    limits: Mapping[str, Any],
    env_id: str | None,
    env_args: Sequence[tuple[str, Any]],
    policy_args: Sequence[tuple[str, Any]],
    seeds: int | tuple[int, ...] | None,
    names: Sequence[str],
    out: Path | None,
) -> None:
    """Evaluate policies, print a row of each, and write results; the arguments are the command's options."""
    # Only this form of the command needs an operating system that can confine processes.
    from baselines.policies import Limits, Task, evaluate_policies, results_path, write_evaluations
    from baselines.policies.confine import landlock_version

    if env_id is None:
        raise click.UsageError("--policy needs --env, an environment id; stmg envs lists them")
    if out is None:
        raise click.UsageError("--policy needs --out, a new folder for its results")
    chosen = 10 if seeds is None else seeds
    task = Task(env_id, dict(env_args), tuple(range(chosen)) if isinstance(chosen, int) else chosen, episodes)
    bounds = Limits(**limits)
    arguments = dict(policy_args)
    results_path(out)
    console = Console(highlight=False)
    evaluations = evaluate_policies(policies, task, arguments, names, bounds)
    table = Table(box=SIMPLE_HEAD)
    for title in ("policy", "status", "return", "episodes", "what happened"):
        table.add_column(title, no_wrap=title == "status", overflow="fold")
    for evaluation in evaluations:
        tally, verdict = evaluation.tally, evaluation.verdict
        runs = tally.run_metrics()
        returns = "-" if runs is None else f"{np.mean([run['return'] for run in runs]):.6g}"
        notes = [
            evaluation.detail,
            f"processes left behind, ended: {verdict.left}" if verdict.left else "",
            f"printed {verdict.printed} bytes" if verdict.printed > len(verdict.output.encode()) else "",
            "no episode counts anything: left out of the results" if runs is None else "",
        ]
        table.add_row(
            evaluation.name,
            evaluation.status,
            returns,
            f"{tally.finished.sum()}/{tally.finished.size}",
            # Text, for what a policy says is not markup.
            Text("; ".join(filter(None, notes)) or "-"),
        )
    console.print(table)
    if any(evaluation.status != "ok" for evaluation in evaluations):
        console.print("Episodes that a policy did not finish count as docs/your-own-policy.md says.")
    if not landlock_version():
        console.print("This kernel has no Landlock: files outside the policies' folders were not protected.")
    path = write_evaluations(out, task, arguments, bounds, evaluations)
    console.print(f"written to {path}", soft_wrap=True)
