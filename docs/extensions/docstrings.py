"""Docstrings are plain text with Markdown's tables and backticks; autodoc reads reStructuredText.

Tables become `list-table`s, and what only reStructuredText would take for markup is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, groupby, repeat
from typing import Any

from sphinx.application import Sphinx

BETWEEN_BARS = re.compile(r"((?:`[^`]*`|\\\||[^|`])*)\|")
"""A cell and the bar that ends it."""

BULLET = re.compile(r"^[-*+](?= )")
"""What would make a list of a cell."""

MARKUP = re.compile(r"(?<!\\)\||(?<![*\\])\*(?=\w)(?!\*)|(?<=\w)_(?!\w)")
"""What is a bar, a star or an underscore in plain text, and something else in reStructuredText."""


def is_row(line: str) -> bool:
    """Whether a line is a row of a Markdown table."""
    return line.lstrip().startswith("|") and line.rstrip().endswith("|") and len(line.strip()) > 1


def cells(row: str) -> list[str]:
    """The texts between the bars of a row; a bar inside backticks or after a backslash is text."""
    return [cell.strip() for cell in BETWEEN_BARS.findall(row.strip()[1:])]


def list_table(rows: list[str]) -> Iterator[str]:
    """A Markdown table as a `list-table`."""
    indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
    head, _, *body = rows
    yield from ("", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", "")
    for row in (head, *body):
        for mark, cell in zip(chain(["* -"], repeat("  -")), cells(row), strict=False):
            text = BULLET.sub(r"\\\g<0>", escape(cell))
            yield f"{indent}   {mark} {text}"
    yield ""


def escape(text: str) -> str:
    """A line whose characters mean themselves, but for backticks and double stars."""
    parts = []
    for index, part in enumerate(re.split(r"(``?[^`]+``?)", text)):
        after_code = index and index % 2 == 0 and part[:1].isalnum()
        parts.append(part if index % 2 else ("\\ " if after_code else "") + MARKUP.sub(r"\\\g<0>", part))
    return "".join(parts)


def convert(lines: list[str]) -> Iterator[str]:
    """Lines of a docstring as reStructuredText."""
    for table, group in groupby(lines, is_row):
        rows = list(group)
        yield from list_table(rows) if table else map(escape, rows)


def process_docstring(app: Sphinx, kind: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Convert the docstring that Sphinx is about to read."""
    lines[:] = list(convert(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Convert before napoleon looks for sections."""
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
