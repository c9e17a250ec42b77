"""What was found, in JSON for programs and Markdown for people."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.gpu.page import page
from benchmarks.gpu.setting import Row


class Findings:
    """Tables by the names of stages, written anew with every row: what is cut off leaves what it has.

    Args:
        folder: where to; files gpu.json and README.md.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.tables: dict[str, list[Row]] = {}

    def add(self, stage: str, row: Row) -> None:
        """Add a row to a stage's table."""
        self.tables.setdefault(stage, []).append(row)
        (self.folder / "gpu.json").write_text(json.dumps(self.tables, indent=1) + "\n", encoding="utf-8")
        (self.folder / "README.md").write_text(page(self.tables, {}), encoding="utf-8")
