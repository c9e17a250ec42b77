"""Names of files and folders made of what tasks, algorithms and sources are called."""

from __future__ import annotations

import hashlib

MOST_BYTES = 200
"""Of a name; file systems take 255, and endings are to fit."""
DIGITS = 12
"""Of the hash that tells cut names apart."""


def file_name(text: str) -> str:
    """A text as a name that shells and file systems take, cut where it is too long."""
    name = "".join(letter if letter.isalnum() or letter in "=.-_" else "-" for letter in text)
    return short_name(name)


def short_name(name: str) -> str:
    """A name with at most `MOST_BYTES`; of a longer one its beginning and a hash of all of it."""
    whole = name.encode()
    if len(whole) <= MOST_BYTES:
        return name
    digest = hashlib.sha256(whole).hexdigest()[:DIGITS]
    return f"{whole[: MOST_BYTES - DIGITS - 1].decode(errors='ignore')}-{digest}"
