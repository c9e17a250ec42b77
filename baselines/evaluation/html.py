"""Templates of HTML pages, in which whatever is filled in is escaped."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from baselines.evaluation.numbers import compact, percent


def html_templates(*packages: str) -> Environment:
    """The templates of some packages, each looked for in them in turn; numbers are shown by filters."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(compact=compact, percent=percent)
    return environment
