"""Check an algorithm, whoever wrote it, and say all that is wrong at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from baselines.algorithms.config import OnPolicyConfig, RunConfig, resolve_config
from baselines.algorithms.registry import ALGORITHMS, algorithm_spec, register
from baselines.algorithms.spec import AlgorithmSpec
from baselines.errors import ConfigError
from baselines.testing.policies import of_policies
from baselines.testing.trainings import of_trainings
from stmg_envs.testing import ConformanceError


def check_algorithm(algorithm: str | AlgorithmSpec, **config: Any) -> None:
    """Check that an algorithm does all that the suite asks of one.

    Its row, configuration and presets; policies that decide rank by rank and judge all ranks at once with the
    same numbers, see no follower, keep to masks and are greedy without noise; a short training that ends, and
    whose runs reproduce, depend on nobody beside them, and go on after an interruption with the same bits.

    Example:
        def test_my_algorithm():
            baselines.testing.check_algorithm("my-algorithm", hidden_size=16)

    Args:
        algorithm: the name of an algorithm, or its row.
        **config: fields that make it small and fast.

    Raises:
        ConformanceError: with all that was found.
        UnknownNameError, PluginError: if there is no such algorithm.
        ConfigError: for a field that it has not.
    """
    spec = algorithm if isinstance(algorithm, AlgorithmSpec) else algorithm_spec(algorithm)
    given = resolve_config(spec.config_class, {**spec.fixed, **config})
    findings = list(_of_row(spec))
    if not findings and isinstance(given, OnPolicyConfig):
        # Others explore in their own ways, and learn from what they have stored.
        findings = list(of_policies(spec, given))
    if not findings:
        with _registered(spec):
            findings = list(of_trainings(spec, config))
    if findings:
        raise ConformanceError(spec.name, findings)


def _of_row(spec: AlgorithmSpec) -> Iterator[str]:
    module = inspect.getmodule(spec.config_class)
    if module is not None and not module.__doc__:
        yield "the module of its configuration has no docstring, which is its documentation page; write one"
    for name, values in {"fixed": spec.fixed, **spec.presets}.items():
        problem = _problem(spec.config_class, values)
        if problem is not None:
            yield f"{name}: {problem}"


def _problem(config_class: type[RunConfig], values: Mapping[str, Any]) -> str | None:
    try:
        resolve_config(config_class, values)
    except ConfigError as error:
        return str(error)
    return None


@contextmanager
def _registered(spec: AlgorithmSpec) -> Iterator[None]:
    """Have an algorithm in the table, for run directories name theirs."""
    if spec.name in ALGORITHMS:
        yield
        return
    register(spec)
    try:
        yield
    finally:
        ALGORITHMS.forget(spec.name)
