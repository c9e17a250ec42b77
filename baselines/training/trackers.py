"""Where the course of a training can be watched besides its files: TensorBoard, Weights & Biases."""

from __future__ import annotations

import importlib.util
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from torch.utils.tensorboard import SummaryWriter

from baselines.errors import ConfigError
from baselines.storage import write_text
from stmg_envs.arguments import shown

STEP = "environment_steps"
RUN_ID = "wandb_id"
"""File of a run directory that names its run at Weights & Biases."""


class Tracker(Protocol):
    """Takes numbers as training goes on."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Take named numbers.

        Args:
            step: environment steps per run so far.
            values: name -> mean over runs.
        """

    def close(self) -> None:
        """Take no more."""


class TensorBoard:
    """Event files under `tensorboard/` of a run directory.

    Args:
        directory: the run directory.
        keep_until: on resuming, what was written of later steps is hidden.
    """

    def __init__(self, directory: Path, keep_until: int) -> None:
        self._folder = str(directory / "tensorboard")
        self._writer = SummaryWriter(self._folder, purge_step=keep_until + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        with self._named():
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        with self._named():
            self._writer.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors of the thread that writes name no file."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._folder) from None


def check_wandb(project: str) -> None:
    """Raise ConfigError unless Weights & Biases can be used: installed, and logged in or offline."""
    if not isinstance(project, str):
        raise ConfigError(f"wandb={shown(project)} is no text; expected the name of a project")
    if importlib.util.find_spec("wandb") is None:
        raise ConfigError(
            f"wandb={project!r} needs the package wandb; install it with: pip install 'stmg[wandb]'"
        )
    import wandb

    if os.environ.get("WANDB_MODE", "online") == "online" and not wandb.login(prompt=False):
        raise ConfigError(
            f"wandb={project!r} finds no account; run `wandb login`, or set WANDB_MODE=offline to keep the "
            f"record in the run directory until `wandb sync`"
        )


class WeightsAndBiases:
    """A run at Weights & Biases, which a resumed training goes on writing to.

    Args:
        project: its project.
        directory: the run directory, whose name is the run's and which holds its files.
        config: the plan.
    """

    def __init__(self, project: str, directory: Path, config: Mapping[str, Any]) -> None:
        import wandb

        known = directory / RUN_ID
        if not known.is_file():
            write_text(known, uuid.uuid4().hex + "\n")
        self._run = wandb.init(
            project=project,
            name=directory.name,
            dir=directory,
            id=known.read_text(encoding="utf-8").strip(),
            resume="allow",
            config=dict(config),
        )
        # Steps of its own could not go back to where a resumed training begins.
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({**values, STEP: step})

    def close(self) -> None:
        self._run.finish()
