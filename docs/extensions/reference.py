"""The reference: every name that a package exports."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import stmg_envs
from extensions.docstrings import convert
from extensions.pages import rst, toctree, write_page

PACKAGES = (
    "stmg_envs",
    "stmg_envs.protocol",
    "stmg_envs.equilibria",
    "stmg_envs.matrix",
    "stmg_envs.particle",
    "stmg_envs.allocation",
    "stmg_envs.transport",
    "stmg_envs.merge",
    "stmg_envs.combat",
    "stmg_envs.mujoco",
    "stmg_envs.football",
    "stmg_envs.pool",
    "stmg_envs.testing",
    "stmg_envs.errors",
    "wrappers",
    "baselines",
    "baselines.llm",
    "baselines.testing",
    "baselines.errors",
)
"""Packages, and modules of errors, whose names are public."""


def exported(module: ModuleType) -> list[str]:
    """The public names of a module: what it exports, or else the classes that it defines."""
    defined = [
        name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__
    ]
    return list(getattr(module, "__all__", [name for name in defined if inspect.isclass(vars(module)[name])]))


def origins(module: ModuleType) -> dict[str, str]:
    """The module that each imported name comes from."""
    tree = ast.parse(inspect.getsource(module))
    return {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def environment_classes() -> dict[str, str]:
    """Classes that have a page of their own, and its name."""
    specs = map(stmg_envs.game_spec, stmg_envs.list_envs())
    return {spec.default.factory.replace(":", "."): spec.name for spec in specs}


def data(module: ModuleType, origin: str, name: str) -> str:
    """A constant or an alias of types, with the string that follows it in its module."""
    comments = ModuleAnalyzer.for_module(origin).find_attr_docs().get(("", name), [])
    head = (f".. py:data:: {name}", f"   :module: {module.__name__}", "")
    return rst(*head, *(f"   {line}" for line in convert(comments)))


def entry(module: ModuleType, name: str) -> str:
    """What the reference says of a name."""
    thing, full_name = getattr(module, name), f"{module.__name__}.{name}"
    if full_name in environment_classes():
        return f"- {{py:obj}}`{full_name}`: [its page](../environments/{environment_classes()[full_name]}.md)"
    if inspect.ismodule(thing):
        return f"- {{py:mod}}`{thing.__name__}`: [its page]({thing.__name__}.md)"
    if inspect.isclass(thing) and thing.__name__ == name:
        return rst(f".. autoclass:: {full_name}", "   :members:", "   :show-inheritance:")
    if inspect.isfunction(thing):
        return rst(f".. autofunction:: {full_name}")
    return data(module, origins(module).get(name, module.__name__), name)


def page(name: str) -> Iterator[str]:
    """The parts of a page."""
    yield f"# {name}"
    yield rst(f".. py:module:: {name}")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        yield f"This site was built without the engine: {error}."
        return
    yield inspect.getdoc(module) or ""
    yield from (entry(module, name) for name in exported(module))


def write_pages(app: Sphinx) -> None:
    """Write a page for each package, and their list."""
    for name in PACKAGES:
        write_page(app, f"reference/{name}", page(name))
    write_page(
        app,
        "reference",
        (
            "# Reference",
            "Everything here is public: what a package exports, and the errors that are raised on purpose.",
            toctree(f"reference/{name}" for name in PACKAGES),
        ),
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks for files."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
