"""Distil a run: train students of its policies and set both side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from baselines.algorithms.config import resolve_config
from baselines.distillation.config import DistillationConfig
from baselines.distillation.students import students_of
from baselines.errors import ConfigError
from baselines.evaluation.comparison import Compared, compare, compared_over, markdown_table
from baselines.evaluation.greedy import Evaluated
from baselines.evaluation.results import ResultsFile
from baselines.runs.api import carrying_out, evaluate, place, play
from baselines.runs.loaded import load_population, of_seed
from baselines.runs.plan import RunPlan
from baselines.runs.trainer import ABSOLUTE, Progress, Trainer
from baselines.runs.zoo import find_run
from baselines.storage import write_text

TITLES = ("metric", "teacher", "students", "students - teacher")


@dataclass(frozen=True)
class Distilled:
    """A finished distillation.

    Attributes:
        path: the students' run directory.
        plan: what was done.
        teacher: what the teacher did in the last evaluation's episodes.
        students: what the students did in them.
    """

    path: Path
    plan: RunPlan
    teacher: Evaluated
    students: Evaluated

    def compared(self) -> list[Compared]:
        """The return and every metric of the game, of teacher and students."""
        return compare(self.teacher, self.students)


def distill(
    run_dir: str | Path,
    *,
    seed: int | None = None,
    out: str | Path | None = None,
    episodes: int = 320,
    workers: int | None = None,
    resume: bool = False,
    watch: Callable[[Progress], None] | None = None,
    trust: bool = False,
    **config: Any,
) -> Distilled:
    """Train students of a run's policies: separate agents that see their own observations alone.

    The students' directory is a run directory like any other. Besides, `teacher.json` has the teacher's
    results in the same episodes and `comparison.md` a table of both.

    Args:
        run_dir: the teacher's run directory, or an entry of the zoo.
        seed: one of its seeds; by default the policies of all its seeds get students, all at once.
        out: the students' run directory; by default one under `runs/` named after task and time.
        episodes: fresh greedy episodes per run, in which teacher and students are compared.
        workers: processes that step an engine's environments; as many as the teacher's training had, by
            default.
        resume: continue the distillation in `out`.
        watch: called after every update.
        trust: as in `baselines.load_policy`.
        **config: fields of `DistillationConfig`; observations are normalised if the teacher's are.

    Raises:
        RunDirectoryError, CheckpointError: if there is no run or no such seed, or `out` exists.
        ConfigError: for an unknown field or a value out of range.
        KeyboardInterrupt: after saving, when interrupted.
    """
    source = find_run(run_dir, trust)
    taught = source.plan() if seed is None else of_seed(source.plan(), seed)
    if workers is not None:
        taught = replace(taught, workers=workers)
    teachers, progress = load_population(source, taught)
    chosen = {"observation_norm": taught.config.observation_norm, **config}
    plan = replace(taught, algorithm=students_of(teachers), config=_config(chosen, str(run_dir)))
    directory = place(plan, out, resume)
    with carrying_out(plan, directory, resume):
        Trainer(plan, directory, resume).run(watch)
    teacher = play(teachers, taught, episodes, ABSOLUTE)
    step = progress["updates"] * taught.config.batch
    path = directory.path / "teacher.json"
    ResultsFile(path, taught.task, taught.algorithm.name, taught.seeds, step).set_absolute(teacher)
    distilled = Distilled(
        directory.path, plan, teacher, evaluate(directory.path, episodes, trust=directory.trust)
    )
    write_text(directory.path / "comparison.md", _page(distilled, taught, str(run_dir), episodes))
    return distilled


def _config(chosen: dict[str, Any], teacher: str) -> DistillationConfig:
    """The configuration: the environment's family has presets for those who learn from rewards alone."""
    if "teacher" in chosen:
        raise ConfigError(f"teacher={chosen['teacher']!r} is given twice; expected it as the first argument")
    return resolve_config(DistillationConfig, chosen | {"teacher": teacher})


def _page(distilled: Distilled, taught: RunPlan, teacher: str, episodes: int) -> str:
    seeds = ", ".join(map(str, taught.seeds))
    return (
        f"# Students of {taught.algorithm.name} on {taught.task}\n\n"
        f"Teacher: `{teacher}`, seeds {seeds}. Greedy play in the same {episodes} episodes per seed; in "
        f"parentheses 95 % intervals {compared_over(len(taught.seeds))}.\n\n"
        + markdown_table(TITLES, [row.cells() for row in distilled.compared()])
    )
