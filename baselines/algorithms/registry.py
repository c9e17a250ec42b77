"""All algorithms by name: the suite's own, and those that programs and installed packages bring."""

from __future__ import annotations

from baselines.algorithms.own import OWN_ALGORITHMS
from baselines.algorithms.spec import NAME, AlgorithmSpec
from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError, UnknownNameError, suggestion
from stmg_envs.open_table import OpenTable

RESERVED = {spec.family for spec in OWN_ALGORITHMS}
"""Our families of algorithms: names of others begin with none of them."""


def _require_foreign(name: str) -> None:
    """Raise InvalidArgumentError unless a name may be somebody else's."""
    namespace, dash, _ = name.partition("-")
    if not NAME.fullmatch(name) or not dash or namespace in RESERVED:
        raise InvalidArgumentError(
            f"name={shown(name)} is no name of another package's algorithm; expected small letters and "
            f"digits, with a namespace of its own before a dash, such as 'my-algorithm'"
        )


ALGORITHMS = OpenTable(
    "stmg.algorithms", OWN_ALGORITHMS, lambda row: row.name, AlgorithmSpec, _require_foreign
)
"""Algorithms by name; packages name theirs as entry points of the group `stmg.algorithms`."""


def register(spec: AlgorithmSpec) -> None:
    """Add an algorithm to the table of this program.

    Algorithms of an installed package are found without a call, by its entry points of the group
    `stmg.algorithms`.

    Args:
        spec: its row; its name has a namespace of its own before a dash, such as `my-algorithm`.

    Raises:
        InvalidArgumentError: if it is no row, or if its name belongs to another algorithm.
    """
    ALGORITHMS.add(spec)


def list_algorithms() -> list[str]:
    """Names of all algorithms."""
    return list(ALGORITHMS)


def algorithm_spec(name: str) -> AlgorithmSpec:
    """The row of an algorithm.

    Raises:
        UnknownNameError: for an unknown name, with the nearest known one.
        PluginError: if the package that offers it does not give it.
    """
    names = ALGORITHMS.names()
    if not isinstance(name, str):
        raise UnknownNameError(f"algorithm={shown(name)} is no text; expected one of {names}")
    if name not in ALGORITHMS:
        raise UnknownNameError(f"algorithm={name!r} is not registered; {suggestion(name, names)}")
    return ALGORITHMS[name]
