"""Pages that the build writes from the project's tables and docstrings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sphinx.application import Sphinx


def write_page(app: Sphinx, name: str, parts: Iterable[str]) -> None:
    """Write `generated/<name>.md`, unless it says so already: Sphinx reads again what is newer."""
    path = Path(app.srcdir) / "generated" / f"{name}.md"
    text = "\n\n".join(part for part in parts if part) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as code."""
    return f"`{value}`"


def rst(*lines: str) -> str:
    """Directives of autodoc, which a Markdown page hands to the other parser."""
    return "\n".join(("```{eval-rst}", *lines, "```"))


def toctree(pages: Iterable[str], *options: str) -> str:
    """A table of contents with these pages."""
    return "\n".join(("```{toctree}", *options, "", *pages, "```"))
