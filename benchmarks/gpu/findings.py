"""What was found, in JSON for programs and Markdown for people."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.gpu.setting import Row


class Findings:
    """Tables by the names of stages, written anew with every row: what is cut off leaves what it has.

    Args:
        folder: where to; files gpu.json and gpu.md.
        title: first line of the page.
    """

    def __init__(self, folder: Path, title: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.title = title
        self.tables: dict[str, list[Row]] = {}

    def add(self, stage: str, row: Row) -> None:
        """Add a row to a stage's table."""
        self.tables.setdefault(stage, []).append(row)
        self._write()

    def _write(self) -> None:
        (self.folder / "gpu.json").write_text(json.dumps(self.tables, indent=1) + "\n", encoding="utf-8")
        parts = [f"# {self.title}\n"]
        for stage, rows in self.tables.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            lines = [
                columns,
                ["---"] * len(columns),
                *([_text(row.get(name)) for name in columns] for row in rows),
            ]
            table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
            parts.append(f"## {stage[0].upper()}{stage[1:]}\n\n{table}\n")
        (self.folder / "gpu.md").write_text("\n".join(parts), encoding="utf-8")


def _text(value: str | float | int | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1e-2 else f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
