"""Results files in marl-eval's layout.

environment -> task -> algorithm -> seed_<k> -> step_<j> {step_count, elapsed_time, metric: [values]}
and absolute_metrics {elapsed_time, metric: [values]}: marl-eval's check wants one set of names everywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from baselines.evaluation.greedy import Evaluated
from baselines.storage import read_json, write_json
from stmg_envs import game_spec
from stmg_envs.errors import InvalidArgumentError
from wrappers import is_external

ENVIRONMENT = "stmg"

BOOKKEEPING = ("step_count", "elapsed_time")
"""What an evaluation holds beside its metrics."""

RETURN = "return"
ABSOLUTE = "absolute_metrics"

Results = dict[str, Any]

Number = int | float
"""What is stored as it was read; no float of a whole number."""
Numbers = Annotated[list[Number], Field(min_length=1)]
Step = Annotated[str, Field(pattern=r"^(step_\d+|absolute_metrics)$")]
Runs = dict[str, dict[Step, dict[str, Number | Numbers]]]
"""seed_<k> -> step_<j> or absolute_metrics -> metric -> one number or one per episode."""
Stored = dict[str, dict[str, dict[str, Runs]]]
"""A results file: environment -> task -> algorithm -> runs."""

Checked = TypeVar("Checked")


def task_name(env_id: str, env_args: Mapping[str, Any]) -> str:
    """The task of an environment and its arguments, such as `penalty(k=-100)`, in lower case."""
    if is_external(env_id):
        # With its source, so that it takes no name of a registered game.
        name, first = env_id, {}
    else:
        row = game_spec(env_id)
        name, first = row.name, dict(row.task_args)
    # In whatever order they were given, the same arguments make the same task.
    arguments = first | dict(sorted(env_args.items()))
    inside = ",".join(f"{name}={_compact(value)}" for name, value in arguments.items())
    return (f"{name}({inside})" if inside else name).lower()


def _compact(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_compact, value))}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace(" ", "")


def read_checked(path: Path, kind: type[Checked]) -> Checked:
    """Read a JSON object that is what a type says.

    Raises:
        InvalidArgumentError: if the file is missing, no JSON, or something else than expected.
    """
    data = read_json(path)
    try:
        # As JSON, for there strict means that no text and no truth value counts as a number.
        return TypeAdapter(kind).validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise broken(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def broken(path: Path, reason: str) -> InvalidArgumentError:
    """The error of a file of a run that does not hold what it should."""
    return InvalidArgumentError(f"{path} is not what training writes ({reason}); restore it or train again")


class ResultsFile:
    """The results of one run directory: one task, one algorithm, K seeds.

    Args:
        path: `results.json`.
        task: task name.
        algorithm: registry name.
        seeds: one seed per run, (K,).
        keep_until: evaluations up to this step are kept from an existing file; later ones, and
            absolute metrics, belong to other policies and are dropped.

    Raises:
        InvalidArgumentError: if there is a file that holds something else.
    """

    def __init__(
        self, path: Path, task: str, algorithm: str, seeds: tuple[int, ...], keep_until: int = -1
    ) -> None:
        self.path = path
        self.runs: dict[str, dict[str, Any]] = {f"seed_{seed}": {} for seed in seeds}
        if path.is_file():
            stored = read_checked(path, Stored).get(ENVIRONMENT, {}).get(task, {}).get(algorithm, {})
            for name in self.runs:
                steps = stored.get(name, {})
                self.runs[name] = {
                    key: value for key, value in steps.items() if _step(path, key, value) <= keep_until
                }
        self.data: Results = {ENVIRONMENT: {task: {algorithm: self.runs}}}

    def add(self, step_count: int, elapsed: float, evaluated: Evaluated) -> None:
        """Append one evaluation of all runs and write the file."""
        for k, run in enumerate(self.runs.values()):
            index = sum(name.startswith("step_") for name in run)
            head = {"step_count": step_count, "elapsed_time": round(elapsed, 3)}
            run[f"step_{index}"] = head | evaluated.as_metrics(k)
        write_json(self.path, self.data)

    def curve(self, metric: str) -> NDArray[np.float64]:
        """The mean of a metric over the episodes of each evaluation so far, (K, T)."""
        return np.array(
            [[np.mean(evaluation[metric]) for evaluation in run.values()] for run in self.runs.values()]
        )

    def set_absolute(self, evaluated: Evaluated) -> None:
        """Set the absolute metrics, those of the final policy, and write the file."""
        for k, run in enumerate(self.runs.values()):
            elapsed = max((step.get("elapsed_time", 0.0) for step in run.values()), default=0.0)
            run["absolute_metrics"] = {"elapsed_time": elapsed} | evaluated.as_metrics(k)
        write_json(self.path, self.data)


def _step(path: Path, name: str, evaluation: dict[str, Any]) -> float:
    """At which step an evaluation was; absolute metrics are of the end."""
    step = math.inf if name == "absolute_metrics" else evaluation.get("step_count")
    if not isinstance(step, int | float):
        raise broken(path, f"{name}: step_count is {step!r}, expected a number")
    return step


def read_seed(path: Path, task: str, algorithm: str, seed: int) -> dict[str, Any]:
    """All evaluations of one policy.

    Raises:
        InvalidArgumentError: if the file is missing or has none of them.
    """
    try:
        run: dict[str, Any] = read_checked(path, Stored)[ENVIRONMENT][task][algorithm][f"seed_{seed}"]
    except KeyError as error:
        raise InvalidArgumentError(f"{path} has no {error}; evaluate the policy again with --write") from None
    return run


def read_absolute_metrics(path: Path, task: str, algorithm: str, seed: int) -> dict[str, list[float]]:
    """The absolute metrics of one policy, each over its episodes.

    Raises:
        InvalidArgumentError: if the file is missing or has none of them.
    """
    run = read_seed(path, task, algorithm, seed)
    if "absolute_metrics" not in run:
        raise InvalidArgumentError(
            f"{path} has no 'absolute_metrics'; evaluate the policy again with --write"
        )
    metrics = run["absolute_metrics"]
    return {name: values for name, values in metrics.items() if name not in BOOKKEEPING}
