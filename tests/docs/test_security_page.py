"""Every promise of docs/security.md names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?!Promise|-)(.*) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_its_test() -> None:
    rows = ROW.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    assert len(rows) >= 10
    for promise, named in rows:
        found = TEST.fullmatch(named)
        assert found, promise
        assert f"def {found[2]}(" in (ROOT / found[1]).read_text(encoding="utf-8"), promise
