"""Put one policy of a run into the zoo, with its results in fresh episodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.errors import RunDirectoryError
from baselines.evaluation.final_table import MAIN_METRICS, last_metrics
from baselines.evaluation.greedy import Evaluated
from baselines.evaluation.names import MOST_BYTES
from baselines.evaluation.report_inputs import read_run
from baselines.evaluation.results import ENVIRONMENT, read_seed
from baselines.runs.api import evaluate
from baselines.runs.directory import PUBLISHED, RunDirectory, new_run_folder
from baselines.runs.loaded import of_seed
from baselines.runs.plan import RunPlan
from baselines.runs.provenance import provenance
from baselines.runs.saved import SavedProgress, load_training, save_training
from baselines.runs.zoo import ZOO, find_run
from baselines.storage import read_json, write_json
from baselines.training.checkpoint import prefixed, under


@dataclass(frozen=True)
class Published:
    """A new entry of the zoo.

    Attributes:
        path: where it lies.
        seed: whose policy it is.
        chosen_by: the metric that this seed was best by, or None if it was named.
        evaluated: what the policy did in fresh episodes.
    """

    path: Path
    seed: int
    chosen_by: str | None
    evaluated: Evaluated


def publish(
    run_dir: str | Path, name: str, seed: int | None = None, episodes: int = 320, trust: bool = False
) -> Published:
    """Make `zoo/<name>` from a run: parameters, plan, provenance, learning curve and results, no more.

    Args:
        run_dir: a run directory.
        name: of the entry: lower-case letters, digits and hyphens.
        seed: whose policy; by default the best by the final evaluation.
        episodes: fresh greedy episodes for its results, other than those it was chosen by.
        trust: as in `baselines.load_policy`.

    Raises:
        RunDirectoryError: if there is no run, it has no such seed, or the entry exists.
        CheckpointError: if the checkpoint is missing or damaged.
        InvalidArgumentError: if the run has no results.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > MOST_BYTES:
        raise RunDirectoryError(
            f"name={name!r} is no name for the zoo; expected at most {MOST_BYTES} lower-case letters, digits "
            f"and hyphens, for instance steer-penalty"
        )
    source = find_run(run_dir, trust)
    plan = source.plan()
    chosen_by = None
    if seed is None:
        seed, chosen_by = _best(source, plan.seeds)
    plan = of_seed(plan, seed)
    curve = _curve(source, plan)
    tensors, progress = load_training(source)
    row = progress["seeds"].index(seed)
    path = ZOO / name
    if path.exists():
        raise RunDirectoryError(f"{path} exists already; choose another name, or remove it first")
    policy = {key: p[row : row + 1] for key, p in under("policy.", tensors).items()}
    own: SavedProgress = {"updates": progress["updates"], "elapsed": progress["elapsed"], "seeds": [seed]}
    if "lost" in progress:
        own["lost"] = [progress["lost"][row]]
    manifest = read_json(source.manifest)
    how = provenance("baselines.publish") | {"seeds": manifest["seeds"], "chosen_by": chosen_by}
    # A policy is published for everybody, whatever machine it was trained on.
    anywhere = {"seeds": [seed], "device": "cpu", "workers": 0}
    with new_run_folder(path) as folder:
        entry = RunDirectory(folder)
        save_training(entry, plan, prefixed("policy.", policy), own)
        write_json(entry.manifest, manifest | anywhere | {PUBLISHED: how})
        write_json(entry.results, curve)
        evaluated = evaluate(folder, episodes, plan.workers, write=True, trust=trust)
    return Published(path, seed, chosen_by, evaluated)


def _curve(source: RunDirectory, plan: RunPlan) -> dict[str, Any]:
    """Results of one seed, its evaluations while it was trained alone."""
    (seed,) = plan.seeds
    run = read_seed(source.results, plan.task, plan.algorithm.name, seed)
    evaluations = {name: value for name, value in run.items() if name.startswith("step_")}
    return {ENVIRONMENT: {plan.task: {plan.algorithm.name: {f"seed_{seed}": evaluations}}}}


def _best(source: RunDirectory, seeds: tuple[int, ...]) -> tuple[int, str]:
    """The best seed by the final evaluation, and the metric that decided."""
    metrics: dict[str, NDArray[np.float64]] = last_metrics(read_run(source.path).evaluations)
    names = [name for name in MAIN_METRICS if name in metrics]
    best = max(range(len(seeds)), key=lambda k: [metrics[name][k] for name in names])
    return seeds[best], names[0]
