"""Pages read back with the standard library's parser."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from baselines.evaluation.report import read_run, write_report

VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Page(HTMLParser):
    """What a page holds; parsing it checks that elements close in the order they open.

    Attributes:
        tags: start tags with their attributes, in order.
        texts: texts with the tags and identifiers they lie in.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        inside = tuple(name for entry in self._open for name in entry if name)
        if data.strip():
            self.texts.append((inside, " ".join(data.split())))

    def text(self, inside: str = "body") -> str:
        """All text inside the elements of a tag or identifier."""
        return " ".join(text for path, text in self.texts if inside in path)

    def each(self, inside: str) -> list[str]:
        """The single texts inside the elements of a tag or identifier."""
        return [text for path, text in self.texts if inside in path]

    def attributes(self, name: str) -> Iterator[str]:
        """All values of an attribute."""
        return (values[name] or "" for _, values in self.tags if name in values)

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


def report(directory: Path) -> Page:
    """The page of a run directory."""
    return Page(write_report(read_run(directory), directory / "report.html").read_text(encoding="utf-8"))
