"""Texts that anybody may have written, for terminals."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which what a terminal would obey, or not show as it stands, is escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )
