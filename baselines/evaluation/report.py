"""One page that tells everything about a run: self-contained HTML, without scripts or outside files."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from baselines.evaluation import statistics
from baselines.evaluation.figures import LARGE, SMALL, draw_curve
from baselines.evaluation.final_table import final_table, last_metrics
from baselines.evaluation.goal import Goal
from baselines.evaluation.html import html_templates
from baselines.evaluation.learning_curves import Curve, evaluation_curves, training_curves
from baselines.evaluation.numbers import compact, duration, percent, ranges, with_margin
from baselines.evaluation.play_tables import distinct_plays, stage_shares
from baselines.evaluation.report_inputs import ReportInputs, read_run
from baselines.evaluation.statistics import mean_interval, rate_interval
from baselines.storage import write_text
from stmg_envs.equilibria import same_returns
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix import StageGame
from stmg_envs.protocol import JointSpaces

__all__ = ["ReportInputs", "read_run", "render_report", "write_report"]

MOST_ROWS = 20
"""Longer tables are folded."""

LEVEL = percent(statistics.LEVEL)

TITLES = {"return": "Return of the greedy policies", "optimal": "Runs at the optimum"}


@dataclass(frozen=True)
class Chart:
    """A curve as the page shows it: a title, an `<svg>` element unless it is empty, and remarks."""

    title: str
    svg: Markup | None
    remarks: tuple[str, ...]


def write_report(run: ReportInputs, path: Path) -> Path:
    """Write the report of a run; the same run gives the same bytes.

    Args:
        run: what to report, see `read_run`.
        path: the HTML file; one that exists is replaced as a whole.

    Returns:
        The path.

    Raises:
        InvalidArgumentError: if the run's plays are none of its game, or the file cannot be written.
    """
    page = render_report(run)
    try:
        write_text(path, page)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be written ({error}); choose another path") from None
    return path


def render_report(run: ReportInputs) -> str:
    """The report of a run as HTML.

    Raises:
        InvalidArgumentError: if the run's plays are none of its game.
    """
    environment = html_templates("baselines.evaluation")
    return environment.get_template("report.html.j2").render(_context(run)).rstrip() + "\n"


def _context(run: ReportInputs) -> dict[str, Any]:
    """What the template is filled with."""
    evaluations, manifest = run.evaluations, run.manifest
    steps = int(max(evaluations.steps[-1], *run.metrics.get("step", np.zeros(1))))
    planned = _planned_steps(manifest.config)
    elapsed = float(max(evaluations.elapsed, *run.metrics.get("elapsed", np.zeros(1))))
    best = _best_return(run.game, manifest.priority)
    charts = [
        _chart(curve, f"evaluation-{index}", LARGE, best if curve.name == "return" else None)
        for index, curve in enumerate(evaluation_curves(evaluations))
    ]
    training = [
        _chart(curve, f"training-{index}", SMALL) for index, curve in enumerate(training_curves(run.metrics))
    ]
    return {
        "manifest": manifest,
        "task": run.task,
        "runs": len(manifest.seeds),
        "finished": evaluations.final is not None,
        "summary": _summary(run),
        "steps": f"{steps:,}",
        "planned": f"{planned:,}" if planned > steps and not _at_goal(run) else None,
        "last_step": f"{int(evaluations.steps[-1]):,}",
        "charts": charts,
        "training": training,
        "table": final_table(run),
        "episodes": evaluations.final_episodes,
        "play": _play(run),
        "seeds": ranges(manifest.seeds),
        "elapsed": duration(elapsed),
        "priority": _priority_words(run.game, manifest.priority),
        "config": {name: _plain(value) for name, value in manifest.config.items()},
        "env_args": {name: _plain(value) for name, value in manifest.env_args.items()},
        "most_rows": MOST_ROWS,
        "level": LEVEL,
    }


def _summary(run: ReportInputs) -> list[str]:
    """The result in sentences."""
    metrics = last_metrics(run.evaluations)
    runs = len(run.manifest.seeds)
    sentences = []
    if "optimal" in metrics:
        reached = int((metrics["optimal"] == 1.0).sum())
        rate = rate_interval(reached, runs)
        ends = f"{percent(float(rate.low))} to {percent(float(rate.high))}"
        share = f": {percent(float(rate.estimate))} ({LEVEL} Wilson interval {ends})" if runs > 1 else ""
        verb = "reached" if run.evaluations.final is not None else "are at"
        sentences.append(f"{reached} of {runs} {_plural('run', runs)} {verb} the optimum{share}.")
    name = "final mean return" if run.evaluations.final is not None else "mean return so far"
    interval = mean_interval(metrics["return"])
    mean = compact(float(interval.estimate))
    if runs == 1:
        sentences.append(f"The {name} is {mean}; a single run has no interval.")
    elif interval.low == interval.high:
        sentences.append(f"The {name} is {mean} in every run ({LEVEL} interval {mean} to {mean}).")
    else:
        mean, margin, low, high = with_margin(*map(float, (interval.estimate, interval.low, interval.high)))
        sentences.append(
            f"The {name} is {mean} ± {margin} ({LEVEL} t-interval over {runs} runs: {low} to {high})."
        )
    return sentences


def _chart(curve: Curve, name: str, size: tuple[float, float], reference: float | None = None) -> Chart:
    remarks = []
    if reference is not None:
        remarks.append(f"Dashed: best known return, {compact(reference)}.")
    if curve.updates_per_point > 1:
        remarks.append(f"Each point is the mean of {curve.updates_per_point} updates.")
    if curve.missing:
        why = ": no episode ended" if curve.name == "episode_return" else ""
        left = f"{curve.missing:,} of {curve.values:,} values are not finite{why}"
        remarks.append(f"{left}; they are left out.")
    title = TITLES.get(curve.name, curve.name.replace("_", " "))
    svg = None if curve.empty else Markup(draw_curve(curve, name, reference, size))
    return Chart(title, svg, tuple(remarks))


def _play(run: ReportInputs) -> dict[str, Any] | None:
    """What the policies of a matrix game play, or None where there is nothing to show."""
    game = run.game
    if run.plays is None or not isinstance(game, StageGame):
        return None
    order = _order(game, run.manifest.priority)
    return {
        "one_shot": game.table.one_shot and game.max_steps is None,
        "stages": stage_shares(game, run.plays, order),
        "plays": distinct_plays(game, run.plays),
        "agents": game.agents,
        "leaders": ", ".join(game.agents[agent] for agent in order),
        "random": run.manifest.priority == "random",
        "legend": {
            "NE": "pure Nash equilibrium",
            "SE": "Stackelberg equilibrium",
            "OPT": "largest sum of payoffs",
        },
    }


def _order(game: JointSpaces, priority: Sequence[str] | str | None) -> tuple[int, ...]:
    """Agent indices, leader first; the game's default order stands for random ones."""
    names = game.default_priority if priority is None or isinstance(priority, str) else priority
    if sorted(names) != sorted(game.agents):
        raise InvalidArgumentError(f"priority={list(names)} in run.json; expected an order of {game.agents}")
    return tuple(game.agents.index(name) for name in names)


def _best_return(game: JointSpaces, priority: Sequence[str] | str | None) -> float | None:
    """Mean over agents of the best known return, if it is one number."""
    if isinstance(priority, str):
        return None
    targets = game.optimal_returns(_order(game, priority))
    if targets is None:
        return None
    means = targets.mean(axis=1, keepdims=True)
    one = same_returns(means, means[0], np.max(game.return_scale())).all()
    return float(means[0, 0]) if one else None


def _priority_words(game: JointSpaces, priority: Sequence[str] | str | None) -> str:
    if isinstance(priority, str):
        return priority + (" (a new order every episode)" if priority == "random" else "")
    names = ", ".join(game.default_priority if priority is None else priority)
    return names + (" (the game's default)" if priority is None else "")


def _at_goal(run: ReportInputs) -> bool:
    """Whether training ended because it reached its goal."""
    goal = Goal.parse(run.manifest.config.get("goal", ""))
    return goal is not None and goal.reached(run.evaluations.curves[goal.metric])


def _planned_steps(config: dict[str, Any]) -> int:
    """Environment steps of a whole training, in full updates; 0 if unknown."""
    total, *parts = (config.get(name) for name in ("total_steps", "num_envs", "rollout_steps"))
    if not isinstance(total, int):
        return 0
    batch = math.prod(part for part in parts if isinstance(part, int))
    return max(1, total // batch) * batch


def _plain(value: Any) -> str:
    """A configured value as one would type it."""
    return value if isinstance(value, str) else json.dumps(value)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"
