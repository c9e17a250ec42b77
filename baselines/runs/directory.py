"""Run directories: what lies where, and under which circumstances one may be used."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from baselines.distillation.students import STUDENTS
from baselines.errors import ConfigError, RunDirectoryError
from baselines.evaluation.report_inputs import Manifest
from baselines.evaluation.results import read_checked
from baselines.evaluation.trust import require_trusted
from baselines.runs.plan import RunPlan, check_plan, device_here, make_plan, resolve_plan
from baselines.runs.provenance import provenance
from baselines.storage import new_folder, read_json, write_json

PUBLISHED = "published"
"""Entry of a manifest that says how a policy came into a zoo."""
RESUMED = "resumed"
"""Entry of a manifest that says where a run was taken up again, and by what."""
ENDS = ("goal", "total_steps")
"""Settings that say when a run ends; they may be others when it is resumed."""


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

    | File                     | Holds                                                            |
    |--------------------------|------------------------------------------------------------------|
    | `run.json`               | the plan, versions, commit, command: what is needed to repeat it |
    | `results.json`           | evaluations, in marl-eval's layout                               |
    | `plays.json`             | the first greedy episode of each run's final policy              |
    | `metrics.csv`            | training metrics per update and run                              |
    | `tensorboard/`           | the same, mean over runs                                         |
    | `wandb/`, `wandb_id`     | the same for Weights & Biases, if asked for                      |
    | `checkpoint.safetensors` | parameters, optimiser, normaliser, environments, progress        |
    | `report.html`            | what `stmg report` writes                                        |

    Attributes:
        path: the folder.
        trust: whether a module that its manifest names may be imported.
    """

    path: Path
    trust: bool = False

    @property
    def manifest(self) -> Path:
        return self.path / "run.json"

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    @property
    def plays(self) -> Path:
        return self.path / "plays.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def begun(self) -> bool:
        """Whether anything has been trained that is lost without its checkpoint."""
        return self.checkpoint.exists() or self.metrics.exists()

    def create(self, plan: RunPlan) -> None:
        """Make the directory and write its manifest.

        Raises:
            ConfigError: if an argument of the game cannot be stored.
            RunDirectoryError: if the path exists, or cannot be made.
        """
        _require_storable(plan.as_dict()["env_args"])
        # Whoever finds the directory finds what it is.
        with new_run_folder(self.path) as folder:
            write_json(RunDirectory(folder).manifest, plan.as_dict() | provenance(_call(plan)))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing into the directory meanwhile; it must exist.

        Raises:
            RunDirectoryError: if somebody else is at it.
        """
        try:
            with FileLock(self.path / ".lock", timeout=0):
                yield
        except Timeout:
            raise RunDirectoryError(
                f"{str(self.path)!r} is being written by another process; wait for its end, or stop it"
            ) from None

    def check_new(self) -> None:
        """Raise RunDirectoryError if the path exists, or can be the name of no folder."""
        try:
            taken = self.path.exists()
        except OSError as error:
            raise _impossible(self.path, error) from None
        if taken:
            raise _taken(self.path)

    def plan(self) -> RunPlan:
        """The plan in the manifest, on the CPU if this machine lacks the run's device, fit to be carried out.

        Raises:
            RunDirectoryError: if this is no run directory.
            InvalidArgumentError: if its manifest is broken.
            UntrustedError: if it names a module, and is not trusted.
            MissingEngineError: if the game's engine is not installed.
        """
        plan = self.recorded()
        require_trusted(self.manifest, plan.env_id, self.trust)
        return check_plan(plan)

    def recorded(self) -> RunPlan:
        """The same for those who only show it, which needs no engine.

        Raises:
            RunDirectoryError: if this is no run directory.
            InvalidArgumentError: if its manifest is broken.
        """
        if not self.manifest.is_file():
            raise RunDirectoryError(
                f"{str(self.path)!r} is no run directory (it has no run.json); "
                f"expected one made by stmg train"
            )
        stored = read_checked(self.manifest, Manifest)
        names = ("seeds", "env_args", "priority", "workers", "config")
        row = STUDENTS if stored.algorithm == STUDENTS.name else stored.algorithm
        same = {name: getattr(stored, name) for name in names}
        return resolve_plan(row, stored.env_id, device=device_here(stored.device), **same)

    def continued(self, **changes: Any) -> RunPlan:
        """The plan of going on with the directory's training.

        Args:
            **changes: `total_steps`, `goal`, `device` and `workers`; None leaves what the run had.

        Raises:
            RunDirectoryError: if there is nothing to go on with, or the end would come before the old one.
            STMGError: one of its subclasses, if a change is not accepted.
        """
        plan = self.plan()
        if self.published:
            raise RunDirectoryError(
                f"{str(self.path)!r} is a published policy without its training; expected a run directory of "
                f"stmg train"
            )
        if plan.algorithm.name == STUDENTS.name:
            raise RunDirectoryError(f"{str(self.path)!r} holds students; go on with: {self.going_on()}")
        chosen = {name: value for name, value in changes.items() if value is not None}
        what = plan.as_dict()
        what["config"] |= {name: chosen.pop(name) for name in ENDS if name in chosen}
        longer = make_plan(**what | chosen)
        self.check_continues(longer)
        return longer

    def going_on(self) -> str:
        """The command that goes on with a training that was interrupted."""
        made, path = read_json(self.manifest), shlex.quote(str(self.path))
        if made["algorithm"] == STUDENTS.name:
            return f"stmg distill {shlex.quote(made['config']['teacher'])} --out {path} --resume"
        return f"stmg train --resume {path}"

    @property
    def published(self) -> bool:
        """Whether this is an entry of a zoo, whose results are not to change."""
        return PUBLISHED in read_json(self.manifest)

    def differing(self, plan: RunPlan, free: Sequence[str] = ()) -> str | None:
        """The first part of a plan in which the directory's own differs from it; None if it is the same.

        Args:
            plan: what is compared.
            free: fields of the configuration that may be others.
        """
        stored, wanted = self.plan().as_dict(), plan.as_dict()
        stored["config"] |= {name: wanted["config"][name] for name in free}
        # A run may go on elsewhere: on another device, with other workers.
        fixed = [name for name in wanted if name not in ("device", "workers")]
        different = (name for name in fixed if stored[name] != wanted[name])
        return next(different, None)

    def resumed(self, plan: RunPlan, step: int) -> None:
        """Note in the manifest that a run goes on from a step, how, and to which end it was going before."""
        manifest = read_json(self.manifest)
        before = {name: manifest["config"][name] for name in ENDS if name in manifest["config"]}
        manifest["config"] = plan.as_dict()["config"]
        where = {"step": step, "device": plan.device, "workers": plan.workers}
        again = where | {"before": before} | provenance(_call(plan))
        manifest[RESUMED] = [*manifest.get(RESUMED, []), again]
        write_json(self.manifest, manifest)

    def check_continues(self, plan: RunPlan) -> None:
        """Raise RunDirectoryError if the directory was made with another plan, or with a longer one."""
        name = self.differing(plan, ENDS)
        if name is not None:
            raise RunDirectoryError(
                f"{str(self.path)!r} was made with {name}={self.plan().as_dict()[name]!r}, not "
                f"{plan.as_dict()[name]!r}; resume it with the same arguments, or choose another --out"
            )
        planned = self.plan().config.total_steps
        if plan.config.total_steps < planned:
            raise RunDirectoryError(
                f"total_steps={plan.config.total_steps} is less than {planned}, with which "
                f"{str(self.path)!r} was made; a resumed run can only become longer: give at least as many"
            )


@contextmanager
def new_run_folder(path: Path) -> Iterator[Path]:
    """A new folder, which is there as soon as it is whole.

    Raises:
        RunDirectoryError: if it exists, or cannot be made.
    """
    try:
        with new_folder(path) as folder:
            yield folder
    except FileExistsError:
        raise _taken(path) from None
    # A ValueError tells of a character that no path may have.
    except (OSError, ValueError) as error:
        raise _impossible(path, error) from None


def _taken(path: Path) -> RunDirectoryError:
    return RunDirectoryError(
        f"out={str(path)!r} exists already; continue it with --resume, or choose another --out"
    )


def _impossible(path: Path, error: Exception) -> RunDirectoryError:
    return RunDirectoryError(f"out={str(path)!r} cannot be made ({error}); choose another --out")


def _call(plan: RunPlan) -> str:
    """What carries out such a plan where the command line does not."""
    return "baselines.distill" if plan.algorithm.name == STUDENTS.name else "baselines.train"


def _require_storable(env_args: Mapping[str, Any]) -> None:
    """Raise ConfigError unless a manifest can hold the arguments of a game."""
    for name, value in env_args.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"env_args {name}={value!r} cannot be stored with a run ({error}); expected numbers, "
                f"strings, arrays, and lists or mappings of numbers and strings"
            ) from None
