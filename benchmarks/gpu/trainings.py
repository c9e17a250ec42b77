"""Whole trainings: cells of the matrix-game table, and the whole table in several processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import baselines
from benchmarks.gpu.setting import Row, Setting

CELLS = (("steer", 100), ("mappo", 100), ("steer", 1000), ("happo", 100))
"""Algorithms and seeds."""

TABLE_RUNS = 100
TASKS = (
    "penalty(k=0),penalty(k=-100),penalty(k=-1000),penalty(k=-10000),mixing",
    "coordination",
    "cooperation",
)
"""Tasks of the matrix-game table, in groups that take about as long."""

COMMAND = "import sys; from baselines.cli import main; sys.exit(main())"


def cells(setting: Setting) -> Iterator[Row]:
    """All seeds of a cell of Penalty(k=-100), together, from nothing to the written run directory."""
    for name, runs in (("mappo", 2),) if setting.quick else CELLS:
        config: dict[str, Any] = {"total_steps": 500} if setting.quick else {}
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            result = baselines.train(
                name,
                "stmg/Penalty-v0",
                env_args={"k": -100},
                seeds=runs,
                device=str(setting.device),
                out=Path(folder) / "run",
                **config,
            )
            took = time.perf_counter() - start
        assert result.evaluated.optimal is not None
        share = float(result.evaluated.optimal.all(axis=1).mean())
        yield {"algorithm": name, "runs": runs, "seconds": round(took, 1), "share at the optimum": share}


def table(setting: Setting, out: Path) -> Iterator[Row]:
    """`stmg reproduce table1`, every algorithm and group of tasks in a process of its own."""
    start = time.perf_counter()
    folder = out / "table1"
    runs = "2" if setting.quick else str(TABLE_RUNS)
    processes = {}
    for name in ("mappo",) if setting.quick else ("steer", "step", "mat", "happo", "mappo"):
        for tasks in TASKS[:1] if setting.quick else TASKS:
            arguments = ["reproduce", "table1", "--device", str(setting.device), "--threads", "1"]
            arguments += ["--runs", runs, "--algorithms", name, "--games", tasks]
            arguments += ["--out", str(folder), "--work", tempfile.mkdtemp()]
            log = (out / "table1.log").open("a", encoding="utf-8")
            processes[name, tasks] = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *arguments], stdout=log, stderr=log
            )
    try:
        while processes and setting.left > 5:
            for (name, tasks), process in list(processes.items()):
                if process.poll() is not None:
                    del processes[name, tasks]
                    seconds = round(time.perf_counter() - start, 1)
                    yield {
                        "algorithm": name,
                        "tasks": tasks,
                        "seconds": seconds,
                        "status": process.returncode,
                    }
            time.sleep(0.5)
    finally:
        for (name, tasks), process in processes.items():
            process.kill()
            yield {"algorithm": name, "tasks": tasks, "seconds": -1.0, "status": "cut off"}
