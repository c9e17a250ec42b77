"""Answers for its host while it is imported: there is no such class."""

from __future__ import annotations

from hostile_answers import send

send('{"missing": "x", "known": 5}\n')


class Forged:
    def act(self, observation: object) -> int:
        return 0
