"""Check the suite on a GPU: parity with the CPU, waits, speed, kernels, trainings; a rehearsal on a CPU.

    python -m benchmarks.gpu --device cuda --out build/gpu --seconds 400
    python -m benchmarks.gpu --device cpu --quick

Stages come with the most valuable first. JSON and Markdown are written after every row.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import rich_click as click
import torch
from rich.console import Console

from baselines.runs.provenance import commit_of
from benchmarks.gpu import operations, parity, speed, trainings, waits
from benchmarks.gpu.findings import Findings
from benchmarks.gpu.setting import Row, Setting, Stage

LEAST_SECONDS = 10.0
"""No stage begins with less time left."""


def machine(setting: Setting) -> Iterator[Row]:
    """What was measured on."""
    name = torch.cuda.get_device_name(setting.device) if setting.accelerated else platform.processor()
    yield {
        "device": name,
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit_of(Path(__file__).parent) or "unknown",
    }


def stages(out: Path) -> dict[str, Stage]:
    """By name, the most valuable first."""
    return {
        "machine": machine,
        "parity of games": parity.games,
        "parity of learners": parity.learners,
        "waits": waits.stage,
        "speed of games": speed.games,
        "hunting and merging": speed.benchmarks,
        "skirmishes": speed.skirmish,
        "speed of learners": speed.learners,
        "table 1": partial(trainings.table, out=out),
        "trainings": trainings.cells,
        "kernels": operations.stage,
        "compiled skirmishes": speed.compiled_skirmish,
    }


@click.command()
@click.option("--device", default="cuda", show_default=True, help="cpu, cuda, ...")
@click.option("--out", default="build/gpu", show_default=True, type=click.Path(path_type=Path), help="folder")
@click.option("--seconds", default=400.0, show_default=True, help="when to stop")
@click.option("--quick", is_flag=True, help="the sizes of a rehearsal")
@click.option("--stages", "wanted", default="", help="only these, separated by commas: 'waits,kernels'")
def main(device: str, out: Path, seconds: float, quick: bool, wanted: str) -> None:
    """Run the stages and write what they find."""
    torch.set_num_threads(1)
    console = Console(width=160)
    setting = Setting(torch.device(device), quick, time.monotonic() + seconds)
    findings = Findings(out)
    table = stages(out)
    chosen = [name.strip() for name in wanted.split(",")] if wanted else list(table)
    if unknown := [name for name in chosen if name not in table]:
        raise click.BadParameter(f"no stage {unknown[0]!r}; expected some of {', '.join(table)}")
    for name in chosen:
        began = time.monotonic()
        try:
            if setting.left < LEAST_SECONDS:
                findings.add("left out", {"stage": name, "why": "no time left"})
                continue
            for row in table[name](setting):
                findings.add(name, row)
                console.print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
                if setting.left < 0:
                    findings.add("left out", {"stage": name, "why": "its end: no time left"})
                    break
        except Exception as error:
            # One broken stage must not cost what the others find.
            console.print(traceback.format_exc(), markup=False)
            findings.add("failed", {"stage": name, "error": f"{type(error).__name__}: {error}"[:300]})
        findings.add("seconds", {"stage": name, "seconds": round(time.monotonic() - began, 1)})
    if broken := findings.tables.get("failed"):
        raise click.ClickException(f"failed: {', '.join(str(row['stage']) for row in broken)}; see above")


if __name__ == "__main__":
    main()
