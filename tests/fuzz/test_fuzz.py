"""A short form of `make fuzz`, and what the fuzzer itself notices."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from fuzz.judge import Case, judge
from fuzz.table import KINDS, attempts
from stmg_envs.errors import InvalidArgumentError

CASES = 60


@pytest.mark.parametrize("kind", KINDS)
def test_malformed_inputs_end_in_typed_errors(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    faults = [str(one) for one in attempts(kind, 0, range(CASES)) if not one.verdict.fine]
    assert not faults, "\n".join(faults)


def raising(error: Exception) -> Case:
    def call() -> None:
        raise error

    return Case("", call)


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (raising(InvalidArgumentError("k='x' is no number; expected one")), "refused"),
        (raising(InvalidArgumentError("")), "unclear"),
        (raising(InvalidArgumentError("x" * 5000)), "unclear"),
        (raising(TypeError("unhashable type: 'list'")), "raw"),
        (Case("", lambda: time.sleep(5)), "hang"),
        (Case("", lambda: 2), "accepted"),
        (Case("", lambda: 2, original=3), "accepted"),
        (Case("", lambda: [2.0, float("nan")], original=[2.0, float("nan")]), "same"),
    ],
)
def test_every_outcome_is_told_apart(case: Case, outcome: str) -> None:
    assert judge(case, seconds=0.2).outcome == outcome


def test_a_case_is_made_again_by_its_number() -> None:
    first, second = ([one.change for one in attempts("run metrics", 7, range(3, 6))] for _ in range(2))
    assert first == second and len(set(first)) == 3
    others = [one.change for one in attempts("run metrics", 8, range(3, 6))]
    assert all(one != other for one, other in itertools.product(first, others))
