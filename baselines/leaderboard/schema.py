"""What a results file must be; every message leads to the place in the file and says what to do.

The layout is marl-eval's: environment -> task -> algorithm -> run -> step_<j> {step_count, elapsed_time,
metric: [values]} and absolute_metrics {metric: [values]}. Names are compared in lower case, as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError

from baselines.errors import ResultsError
from baselines.evaluation.possible import impossibilities
from baselines.evaluation.results import ABSOLUTE, BOOKKEEPING, ENVIRONMENT, RETURN
from baselines.storage import read_json

MOST_PROBLEMS = 5
"""Problems that one message names."""

Values = Annotated[list[FiniteFloat], Field(min_length=1)]
Name = Annotated[str, Field(min_length=1)]


class Absolute(BaseModel):
    """The final policy of a run: metrics with a number per episode, or one number for all."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values]
    elapsed_time: FiniteFloat = 0.0


class Evaluation(Absolute):
    """The policy of a run after so many environment steps."""

    step_count: NonNegativeInt


class Run(BaseModel):
    """All evaluations of a run."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Annotated[str, Field(pattern=r"^step_\d+$")], Evaluation]
    absolute_metrics: Absolute


Algorithm = Annotated[str, Field(pattern=r"^[^,]+$")]
Runs = Annotated[dict[Name, Run], Field(min_length=1)]
Tasks = dict[Name, Annotated[dict[Algorithm, Runs], Field(min_length=1)]]
LAYOUT = TypeAdapter(Annotated[dict[Name, Annotated[Tasks, Field(min_length=1)]], Field(min_length=1)])

EXPECTED = {
    "string_pattern_mismatch": "expected step_<number> for evaluations, and no comma in an algorithm's name",
    "missing": "every result needs it",
}
"""What to say of kinds of errors whose own message says little."""

Results = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""environment -> task -> algorithm -> runs, names in lower case."""


def read_results(path: Path) -> Results:
    """Read a results file and check it.

    Args:
        path: the file.

    Returns:
        Its content, all names in lower case.

    Raises:
        InvalidArgumentError: if the file is missing or no JSON.
        ResultsError: if it has another layout, or its runs do not fit together.
    """
    data = read_json(path)
    collisions = list(_collisions(data))
    if collisions:
        raise ResultsError(_message(path, collisions))
    results = _lower(data)
    try:
        # As JSON, for there strict means that no text and no truth value counts as a number.
        LAYOUT.validate_json(json.dumps(results), strict=True)
    except ValidationError as error:
        raise ResultsError(_message(path, [_problem(one) for one in error.errors()])) from None
    problems = [
        f"{environment} > {task} > {algorithm} > {problem}"
        for environment, tasks in results.items()
        for task, algorithms in tasks.items()
        for algorithm, runs in algorithms.items()
        # A game of somebody else may have the name of one of ours.
        for problem in [*_differences(runs)]
        or impossibilities(task if environment == ENVIRONMENT else f"{environment}/{task}", runs)
    ]
    if problems:
        raise ResultsError(_message(path, problems))
    return results


def _lower(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {str(name).lower(): _lower(inner) for name, inner in value.items()}


def _collisions(value: Any, place: str = "") -> Iterator[str]:
    """Names of one table that are the same in lower case."""
    if not isinstance(value, dict):
        return
    first: dict[str, str] = {}
    for name, inner in value.items():
        other = first.setdefault(name.lower(), name)
        if other != name:
            yield f"{place or 'the whole file'}: {other!r} and {name!r} differ in case alone; rename one"
        yield from _collisions(inner, f"{place} > {name}".removeprefix(" > "))


def _differences(runs: dict[str, Any]) -> Iterator[str]:
    """What runs of one algorithm have that the first one has not, or the other way round."""
    first_name, first = next(iter(runs.items()))
    metrics = set(first[ABSOLUTE]) - set(BOOKKEEPING)
    counts = _step_counts(first)
    if RETURN not in metrics:
        yield f"{first_name} > {ABSOLUTE}: no {RETURN!r} among {sorted(metrics)}; every result needs it"
        return
    if not counts:
        yield f"{first_name}: no evaluations; expected step_0, step_1, ..."
    for name, run in runs.items():
        for step, values in run.items():
            found = set(values) - set(BOOKKEEPING)
            if found != metrics:
                yield (
                    f"{name} > {step}: metrics {sorted(found)}; expected those of {first_name}'s "
                    f"{ABSOLUTE}, {sorted(metrics)}"
                )
        if _step_counts(run) != counts:
            yield (
                f"{name}: evaluated at steps {_short(_step_counts(run))}; expected those of {first_name}, "
                f"{_short(counts)}"
            )


def _step_counts(run: dict[str, Any]) -> list[int]:
    return sorted(values["step_count"] for name, values in run.items() if name != ABSOLUTE)


def _problem(error: Any) -> str:
    """A pydantic error as place, finding and expectation."""
    place = [str(part) for part in error["loc"] if part != "[key]"]
    found = "nothing there" if error["type"] == "missing" else f"found {_short(error['input'])}"
    own = re.sub(r"^Input should be ", "expected ", error["msg"])
    expected = EXPECTED.get(error["type"], own)
    if place[-1:] == [ABSOLUTE]:
        expected += "; finish the training, or evaluate the policies as they are: stmg evaluate RUN_DIR"
    return f"{' > '.join(place) or 'the whole file'}: {found}; {expected}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _message(path: Path, problems: list[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    shown = [*problems[:MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
    return f"{path} is no results file that can be compared:\n  " + "\n  ".join(shown)
