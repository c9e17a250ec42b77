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
TABLE_ALGORITHMS = ("steer", "mat", "step", "happo", "mappo")
TASKS = (
    "coordination",
    "cooperation",
    "penalty(k=0),penalty(k=-100),penalty(k=-1000),penalty(k=-10000),mixing",
)
"""Tasks of the matrix-game table, in groups that take about as long."""

TOGETHER = 5
"""Processes at a time: a GPU computes for one after another, and few keep it busy."""

CLOSING_SECONDS = 4.0
"""What is left for those that are cut off."""


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
    """`stmg reproduce table1`, every algorithm and group of tasks in a process of its own, some at a time."""
    names, groups = (("mappo",), ("mixing",)) if setting.quick else (TABLE_ALGORITHMS, TASKS)
    waiting = [(name, tasks) for tasks in groups for name in names]
    running: dict[tuple[str, str], tuple[subprocess.Popen[bytes], float]] = {}
    began = time.perf_counter()
    try:
        while (waiting or running) and setting.left > CLOSING_SECONDS:
            while waiting and len(running) < TOGETHER:
                job = waiting.pop(0)
                running[job] = (_reproduce(setting, out, *job), time.perf_counter())
            for job, (process, start) in list(running.items()):
                if process.poll() is not None:
                    del running[job]
                    yield _job(*job, f"exit status {process.returncode}", start, began)
            time.sleep(0.2)
    finally:
        for process, _ in running.values():
            process.kill()
    for job in running:
        yield _job(*job, "cut off", running[job][1], began)
    for job in waiting:
        yield {"algorithm": job[0], "tasks": job[1], "end": "not begun"}


def _job(name: str, tasks: str, end: str, start: float, began: float) -> Row:
    now = time.perf_counter()
    seconds = {"seconds": round(now - start, 1), "seconds since the first": round(now - began, 1)}
    return {"algorithm": name, "tasks": tasks, "end": end, **seconds}


def _reproduce(setting: Setting, out: Path, name: str, tasks: str) -> subprocess.Popen[bytes]:
    """The command for an algorithm and some tasks, as a process."""
    arguments = ["reproduce", "table1", "--device", str(setting.device), "--threads", "1"]
    arguments += ["--runs", "2" if setting.quick else str(TABLE_RUNS), "--algorithms", name, "--games", tasks]
    arguments += ["--out", str(out / "table1"), "--work", tempfile.mkdtemp()]
    with (out / "table1.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen([sys.executable, "-m", "baselines", *arguments], stdout=log, stderr=log)
