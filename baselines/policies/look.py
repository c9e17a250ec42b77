"""The program that looks for a policy's class without running anything of it.

It reads where the module's source is and which names stand in it, and says what is surely missing: only a
mistake in the command ends an evaluation, and nothing that a policy does can look like one. What cannot be
known before the import is left to `host.py`. It runs by its path and imports nothing of this package.
"""

from __future__ import annotations

import ast
import json
import os
import socket
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any

Message = dict[str, Any]

METHODS = {"act", "act_batch"}
BINDERS = {"__getattr__", "exec", "globals", "locals", "setattr", "vars"}
"""Names by which a module can have others than those that stand in it."""


def spec_of(module: str) -> tuple[ModuleSpec | None, str]:
    """Where a module is, found without importing its packages, and the name at which the search ended."""
    places = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for depth in range(len(parts)):
        name = ".".join(parts[: depth + 1])
        found = (finder.find_spec(name, places) for finder in sys.meta_path)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is None:
            return None, name
        places = spec.submodule_search_locations or []
    return spec, module


def source_of(module: str) -> str | None:
    """The source of a module, None where it has none."""
    spec, _ = spec_of(module)
    source: str | None = getattr(spec and spec.loader, "get_source", lambda _: None)(module)
    return source


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """What belongs to a module or a class itself, not to the functions and classes in it."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from statements(node)


def names(tree: ast.AST) -> set[str]:
    """The names that a module or a class gives to something."""
    found = set()
    for node in statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def missing(module: str, tree: ast.Module, name: str) -> Message:
    """What is surely missing of a class in a module's source; nothing if there may be one."""
    bound = names(tree)
    words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | bound
    if "*" in bound or words & BINDERS:
        return {}
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if name not in bound:
        return {"missing": f"{module} has no class {name!r}", "known": sorted(classes)}
    kind = classes.get(name)
    given = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    if kind is None or kind.bases or kind.keywords or kind.decorator_list:
        return {}
    if METHODS & (names(kind) | given):
        return {}
    return {"missing": f"{name} has no method 'act' (nor 'act_batch')"}


def look(policy: str) -> Message:
    """The answer to the question whether there is a policy, "package.module:Class"."""
    module, _, name = policy.partition(":")
    spec, ended = spec_of(module)
    if spec is None:
        package = ended.rpartition(".")[0]
        elsewhere = bool(package) and "__path__" in (source_of(package) or "")
        return {} if elsewhere else {"missing": f"there is no module {ended!r}"}
    source = source_of(module)
    return {} if source is None else missing(module, ast.parse(source), name)


def main() -> None:
    """Answer one request."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    sys.path.insert(0, sys.argv[2])
    with connection.makefile("rwb") as stream:
        try:
            reply = look(json.loads(stream.readline())["policy"])
        except Exception:
            # Where the source cannot be read or is none, the import says why.
            reply = {}
        stream.write(json.dumps(reply).encode() + b"\n")
        stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
