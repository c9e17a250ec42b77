"""A page for each family of algorithms: docstrings with equations, configuration fields, presets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import Field, fields
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sphinx.application import Sphinx

from baselines.algorithms.registry import ALGORITHMS
from baselines.algorithms.spec import AlgorithmSpec
from baselines.networks.policy import PolicySpec
from extensions.pages import code, rst, table, toctree, write_page

SIZES = PolicySpec(n=2, obs_dim=1, state_dim=None, action_width=2, discrete=True, fully_observed=True)
"""Of a small game that every algorithm plays."""

BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def kind(hint: Any) -> str:
    """The type of a field and its range."""
    annotated, info = get_args(hint)[:2]
    if get_origin(annotated) is Literal:
        return " or ".join(map(repr, get_args(annotated)))
    limits = [f"{BOUNDS[name]} {limit}" for item in info.metadata for name, limit in vars_of(item)]
    return " ".join((annotated.__name__, ", ".join(limits))).strip()


def vars_of(constraint: Any) -> Iterator[tuple[str, Any]]:
    """The limits that a constraint of pydantic names."""
    return ((name, getattr(constraint, name)) for name in BOUNDS if hasattr(constraint, name))


def field_row(field: Field[Any], hint: Any) -> tuple[str, str, str, str]:
    """A line of the table of fields."""
    return code(field.name), code(kind(hint)), code(field.default), get_args(hint)[1].description


def field_table(config_class: type) -> str:
    """All fields of a configuration, its own first."""
    hints = get_type_hints(config_class, include_extras=True)
    own = set(config_class.__annotations__)
    ordered = sorted(fields(config_class), key=lambda field: field.name not in own)
    return table(
        ("Field", "Values", "Default", "Meaning"), (field_row(field, hints[field.name]) for field in ordered)
    )


def preset_table(spec: AlgorithmSpec) -> str:
    """What each preset sets."""
    presets = spec.all_presets()
    names = [field.name for field in fields(spec.config_class)]
    used = [name for name in names if any(name in preset for preset in presets.values())]
    rows = [
        (code(name), *(code(preset[name]) if name in preset else "" for preset in presets.values()))
        for name in used
    ]
    return table(("Field", *presets), rows)


def network(spec: AlgorithmSpec) -> str:
    """What the network of an algorithm says of itself."""
    policy = type(spec.build(spec.config_class(), SIZES))
    return rst(f".. autoclass:: {policy.__module__}.{policy.__name__}", "   :no-index:")


def markdown(docstring: str) -> str:
    """A module's docstring, which is Markdown with equations between dollar signs."""
    return inspect.cleandoc(docstring)


def page(name: str, specs: list[AlgorithmSpec]) -> Iterator[str]:
    """The parts of a page."""
    config_class = specs[0].config_class
    module = inspect.getmodule(config_class)
    learner = inspect.getmodule(specs[0].learner)
    assert module is not None
    assert learner is not None
    yield f"# {name}"
    yield markdown(module.__doc__ or "")
    if learner is not module:
        yield f"## Update\n\n{markdown(learner.__doc__ or '')}"
    yield "## Network"
    yield network(specs[0])
    yield "## Names"
    yield table(
        ("Name", "What it is", "Fixed"),
        (
            (
                code(spec.name),
                spec.summary,
                ", ".join(code(f"{field}={value!r}") for field, value in spec.fixed.items()),
            )
            for spec in specs
        ),
    )
    yield f"```bash\nstmg train {specs[0].name} stmg/Penalty-v0 --env-arg k=-100 --seeds 8\n```"
    yield "## Presets"
    yield "The preset of an environment's family is used unless `--preset` names another."
    for family, members in groupby(sorted(specs, key=attrgetter("family")), attrgetter("family")):
        yield f"### {family}"
        yield preset_table(next(members))
    yield "## Fields"
    yield "Each is a flag of `stmg train` (`--total-steps 10000`) and an argument of `baselines.train`."
    yield field_table(config_class)


def write_pages(app: Sphinx) -> None:
    """Write a page for each module that configures algorithms, and their table."""
    pages: dict[str, list[AlgorithmSpec]] = {}
    for spec in ALGORITHMS.values():
        pages.setdefault(spec.config_class.__module__.rpartition(".")[2], []).append(spec)
    for name, specs in pages.items():
        write_page(app, f"algorithms/{name}", page(name.upper(), specs))
    rows = [
        (f"[{spec.name}](algorithms/{name}.md)", spec.summary, "in turns" if spec.sequential else "at once")
        for name, specs in pages.items()
        for spec in specs
    ]
    write_page(
        app,
        "algorithms",
        (
            "# Algorithms",
            table(("Name", "What it is", "Agents decide"), rows),
            toctree((f"algorithms/{name}" for name in pages), ":hidden:"),
        ),
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks for files."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
