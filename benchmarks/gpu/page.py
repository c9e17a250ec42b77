"""The page of what a GPU gave: tables, and what they say of what was asked for.

    python -m benchmarks.gpu.page docs/results/gpu

writes README.md beside gpu.json, which the check wrote, and earlier.json, rows of checks of earlier commits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

WANTED_STEPS = 20.0
"""Million steps of hunting a second."""
WANTED_RATIO = 3.0
"""What an update of 256 runs may cost, in updates of one run."""

INTRODUCTION = """# The suite on a GPU

Made by `scripts/gpu_check.sh cuda`: tests on the device, then `python -m benchmarks.gpu`. *Eager* is
operation by operation; *recorded* has steps of games, whole timesteps and gradient steps as CUDA graphs, as
it runs unless `STMG_CAPTURE=0` is set. Times are medians until the device has finished.
"""


def page(tables: Tables, earlier: Tables) -> str:
    """README.md.

    Args:
        tables: what was measured, rows by the names of stages.
        earlier: rows of checks of earlier commits, which each of them names.
    """
    parts = [INTRODUCTION, "\n".join(f"- {line}" for line in verdicts(tables)) + "\n"]
    parts += [_section(name, rows) for name, rows in tables.items()]
    parts += [_section(f"{name}, of an earlier commit", rows) for name, rows in earlier.items()]
    return "\n".join(parts)


def verdicts(tables: Tables) -> list[str]:
    """What the tables say of what was asked for, a sentence each; of what was not measured nothing."""
    said = []
    # A stage that a device cannot have says so in its only row.
    tables = {name: rows for name, rows in tables.items() if "left out" not in rows[0]}
    if "machine" in tables:
        (machine,) = tables["machine"]
        said.append(f"{machine['device']}, torch {machine['torch']}, commit `{machine['commit'][:7]}`.")
    if "tests" in tables:
        (tests,) = tables["tests"]
        said.append(f"Tests on the device: {tests['passed']} passed, {tests['skipped']} skipped (no MuJoCo).")
    if "waits" in tables:
        # Asking for waits warns once that this is a prototype.
        waits = sum(row["waits"] for row in tables["waits"] if "warnings.py" not in row["where"])
        said.append(f"Waits for the device in steps, rollouts and updates: {waits}.")
    hunting = [
        row["recorded million steps/s"]
        for row in tables.get("speed of games", ())
        if "Hunting" in row["game"]
    ]
    if hunting:
        said.append(f"Hunting: {max(hunting):.0f} million steps/s; asked for were {WANTED_STEPS:.0f}.")
    said += _update_ratios(tables.get("speed of learners", ()))
    if "table 1" in tables:
        whole = sum(row["end"] == "exit status 0" for row in tables["table 1"])
        said.append(
            f"The matrix-game table at 100 runs: {whole} of {len(tables['table 1'])} parts ended before the "
            f"time was up."
        )
    return said


def _update_ratios(rows: Sequence[Row]) -> list[str]:
    said = []
    for way in ("recorded", "eager"):
        updates = {(row["algorithm"], row["runs"]): row.get(f"{way} update ms") for row in rows}
        ratios = {
            name: many / one
            for (name, runs), many in updates.items()
            if runs == 256 and many is not None and (one := updates.get((name, 1))) is not None
        }
        if ratios:
            listed = ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
            said.append(
                f"An update of 256 runs in updates of one run, {way}: {listed}; asked for was at most "
                f"{WANTED_RATIO:.0f}."
            )
    return said


def _section(name: str, rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    texts = [[_text(row.get(column)) for column in columns] for row in rows]
    lines = [columns, ["---"] * len(columns), *texts]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {name[0].upper()}{name[1:]}\n\n{table}\n"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1e-2 else f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def read(folder: Path) -> tuple[Tables, Tables]:
    """What a folder has of a check, and of earlier ones."""
    tables, earlier = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for path in (folder / "gpu.json", folder / "earlier.json")
    )
    return tables, earlier


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write README.md of what FOLDER holds."""
    (folder / "README.md").write_text(page(*read(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
