"""In what a machine differs from the one that something was made on."""

from __future__ import annotations

from typing import Any

FACTS = ("platform", "processor", "device", "threads", "preloaded", "python", "commit")
"""Of a record of provenance, what can change numbers besides versions of packages."""


def differences(recorded: dict[str, Any], here: dict[str, Any]) -> tuple[str, ...]:
    """What two records of provenance differ in, in words; what was not recorded is unknown.

    Args:
        recorded: the record of a block of seeds.
        here: that of this process.
    """
    versions = recorded.get("versions", {})
    pairs = {name: (recorded.get(name), here.get(name)) for name in FACTS}
    pairs |= {package: (versions[package], here["versions"].get(package)) for package in versions}
    return tuple(
        f"{name} {_text(then)}, here {_text(now)}" for name, (then, now) in pairs.items() if then != now
    )


def _text(fact: Any) -> str:
    if fact is None:
        return "unknown"
    if isinstance(fact, list):
        return ", ".join(fact) or "nothing"
    return str(fact)
