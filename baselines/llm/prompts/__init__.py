"""What is said to language models: a folder of templates for each version, never changed once it is used."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, partial
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from stmg_envs.errors import UnknownNameError, suggestion

VERSIONS = ("v1",)


class Prompts:
    """The templates of one version.

    Args:
        version: name of a folder here.

    Raises:
        UnknownNameError: for another name.
    """

    def __init__(self, version: str = VERSIONS[-1]) -> None:
        if version not in VERSIONS:
            raise UnknownNameError(
                f"prompts={version!r} is no version of prompts; {suggestion(version, VERSIONS)}"
            )
        self.version = version
        folder = files("baselines.llm.prompts") / version
        self._sources = {
            file.name.removesuffix(".j2"): file.read_text(encoding="utf-8")
            for file in sorted(folder.iterdir(), key=lambda file: file.name)
            if file.name.endswith(".j2")
        }
        self._templates = Environment(
            loader=DictLoader(self._sources), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        # That of Jinja is for pages: it sorts names, and escapes what means something there.
        self._templates.filters["json"] = partial(json.dumps, ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all templates, in hexadecimal."""
        found = hashlib.sha256()
        for name, source in self._sources.items():
            found.update(f"{name}\0{source}\0".encode())
        return found.hexdigest()

    def say(self, name: str, **values: Any) -> str:
        """A filled template."""
        return self._templates.get_template(name).render(**values).strip()
