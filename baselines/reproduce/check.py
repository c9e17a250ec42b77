"""Whether results come out again: runs drawn from an archive, trained anew and compared bit by bit."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from baselines.reproduce.archive import Archive, runs_of
from baselines.reproduce.experiment import Cell
from baselines.reproduce.machine import differences
from baselines.reproduce.run import Watching, train
from baselines.runs.plan import device_here
from baselines.runs.provenance import provenance
from stmg_envs.errors import InvalidArgumentError


class Verdict(StrEnum):
    """What became of a run that was trained anew."""

    SAME = "the same"
    SAME_IN_BLOCK = "the same in its block"
    DIFFERS = "differs"
    OTHER_SETTINGS = "made with other settings"

    @property
    def passed(self) -> bool:
        """Whether the archive is as it should be."""
        return self in (Verdict.SAME, Verdict.SAME_IN_BLOCK)


@dataclass(frozen=True)
class Sample:
    """A run of an archive.

    Attributes:
        cell: whose.
        seed: its seed.
        block: how the seeds that it was trained with were made.
    """

    cell: Cell
    seed: int
    block: dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """A run that was checked.

    Attributes:
        sample: the run.
        verdict: what became of it.
        elsewhere: what of this machine is not as it was recorded, for a run that differs.
    """

    sample: Sample
    verdict: Verdict
    elsewhere: tuple[str, ...] = ()


def draw_samples(cells: Sequence[Cell], archive: Archive, count: int, seed: int) -> list[Sample]:
    """Runs of some cells, all equally likely; all there are if they are fewer.

    Args:
        cells: where to draw from.
        archive: their results.
        count: how many.
        seed: which of them.

    Raises:
        InvalidArgumentError: if the archive has none.
    """
    present = [
        Sample(cell, number, block)
        for cell in cells
        if archive.runs(cell)
        for block in archive.blocks(cell)
        for number in block["seeds"]
    ]
    if not present:
        raise InvalidArgumentError(
            f"{archive.folder} has no results of these cells; expected some: run the experiment first"
        )
    return random.Random(seed).sample(present, min(count, len(present)))


@dataclass
class Checker:
    """Trains runs of an archive anew; the archive stays as it is.

    Attributes:
        archive: what is checked.
        work: an empty folder for run directories.
        watching: opens a display of progress.
        threads: of torch; as many as recorded by default.
        device: "cpu", "cuda", ...; the recorded one by default, if this machine has it.
    """

    archive: Archive
    work: Path
    watching: Watching
    threads: int | None = None
    device: str | None = None
    _trained: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = field(default_factory=dict)

    def check(self, sample: Sample, title: str) -> Checked:
        """Train a run alone and, if it differs, with the seeds that it was trained with.

        Rounding of batched products hangs on who else is in the batch.

        Args:
            sample: the run.
            title: of the display of progress.
        """
        cell, seed = sample.cell, sample.seed
        device = self.device or device_here(sample.block["device"])
        if not self.archive.made_with(cell, cell.plan([seed], device)):
            return Checked(sample, Verdict.OTHER_SETTINGS)
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or sample.block["threads"])
        try:
            stored = self.archive.runs(cell).get(f"seed_{seed}", {})
            for verdict, seeds in _attempts(sample).items():
                runs = self._train(cell, seeds, device, title)
                if _same_numbers(stored, runs[f"seed_{seed}"]):
                    return Checked(sample, verdict)
            here = provenance("a check") | {"device": device}
            return Checked(sample, Verdict.DIFFERS, differences(sample.block, here))
        finally:
            torch.set_num_threads(before)

    def _train(self, cell: Cell, seeds: tuple[int, ...], device: str, title: str) -> dict[str, Any]:
        """The runs of some seeds together, trained once."""
        key = (cell.key, seeds)
        if key not in self._trained:
            named = f"seed {seeds[0]}" if len(seeds) == 1 else f"its block, seeds {seeds[0]}-{seeds[-1]}"
            with self.watching(f"{title} {cell.label} on {cell.task}, {named}") as watch:
                path = self.work / f"{len(self._trained)}"
                self._trained[key] = runs_of(train(self.archive.plan(cell, seeds, device), path, watch))
        return self._trained[key]


def _attempts(sample: Sample) -> dict[Verdict, tuple[int, ...]]:
    """What to train in turn, and what it means if the numbers are then the same."""
    alone, block = (sample.seed,), tuple(sample.block["seeds"])
    return {Verdict.SAME: alone} | ({Verdict.SAME_IN_BLOCK: block} if block != alone else {})


def _same_numbers(stored: dict[str, Any], made: dict[str, Any]) -> bool:
    """Whether the evaluations are the same and every number that is stored came out again, but for times."""

    def numbers(run: dict[str, Any]) -> str:
        found = [
            run[evaluation].get(metric)
            for evaluation, metrics in stored.items()
            for metric in metrics
            if metric != "elapsed_time"
        ]
        # As text: NaN is NaN, and -0.0 is not 0.0.
        return json.dumps(found)

    return stored.keys() == made.keys() and numbers(stored) == numbers(made)
