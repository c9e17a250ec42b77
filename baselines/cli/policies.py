"""What `stmg evaluate --policy` does: evaluates, writes, and prints one row per policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from baselines.policies import Evaluation


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
    salt: str | None,
    out: Path | None,
) -> None:
    """Evaluate policies, print a row of each, and write results; the arguments are the command's options."""
    # Only this form of the command needs an operating system that can confine processes.
    from baselines.policies import EvaluationFiles, Limits, Salt, Task, evaluate_policies
    from baselines.policies.confine import landlock_version

    if env_id is None:
        raise click.UsageError("--policy needs --env, an environment id; stmg envs lists them")
    if out is None:
        raise click.UsageError("--policy needs --out, a new folder for its results")
    chosen = 10 if seeds is None else seeds
    task = Task(
        env_id,
        dict(env_args),
        tuple(range(chosen)) if isinstance(chosen, int) else chosen,
        episodes,
        Salt.draw() if salt is None else Salt(salt),
    )
    bounds = Limits(**limits)
    arguments = dict(policy_args)
    files = EvaluationFiles(out, task, arguments, bounds)
    console = Console(highlight=False)
    try:
        evaluations = evaluate_policies(policies, task, arguments, names, bounds, files.add)
    finally:
        files.publish()
    table = Table(box=SIMPLE_HEAD)
    for title in ("policy", "status", "return", "episodes", "what happened"):
        table.add_column(title, no_wrap=title == "status", overflow="fold")
    for evaluation in evaluations:
        table.add_row(*_row(evaluation))
    console.print(table)
    if any(evaluation.status != "ok" for evaluation in evaluations):
        console.print("Episodes that a policy did not finish count as docs/your-own-policy.md says.")
    if not landlock_version():
        console.print("This kernel has no Landlock: files outside the policies' folders were not protected.")
    if not all(evaluation.verdict.separate for evaluation in evaluations):
        console.print(
            "This system gives policies no namespaces: docs/your-own-policy.md says what they can do."
        )
    console.print(f"The same episodes again: --salt {task.salt.digits}", soft_wrap=True)
    console.print(f"written to {files.path}", soft_wrap=True)


def _row(evaluation: Evaluation) -> tuple[str | Text, ...]:
    tally, verdict = evaluation.tally, evaluation.verdict
    runs = tally.run_metrics()
    notes = [
        evaluation.detail,
        f"processes left behind, ended: {verdict.left}" if verdict.left else "",
        f"processes that could not be ended: {verdict.stayed}" if verdict.stayed else "",
        f"printed {verdict.printed} bytes" if verdict.printed > len(verdict.output.encode()) else "",
        "no episode counts anything: left out of the results" if runs is None else "",
    ]
    return (
        evaluation.name,
        evaluation.status,
        "-" if runs is None else f"{np.mean([run['return'] for run in runs]):.6g}",
        f"{tally.finished.sum()}/{tally.finished.size}",
        # Text, for what a policy says is not markup.
        Text("; ".join(filter(None, notes)) or "-"),
    )
