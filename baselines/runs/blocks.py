"""The blocks of a run's seeds, which take every update together.

What is rounded how depends on who is trained together, so seeds are cut into blocks by the plan alone: the
same runs come of any number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from baselines.evaluation.greedy import Evaluated
from baselines.runs.block import Block
from baselines.runs.plan import RunPlan

BLOCK = 16
"""Seeds of a block on a CPU; there more of them together save no time."""


class Blocks(Protocol):
    """Blocks of one run, wherever they are computed; K runs in all."""

    def begin(self) -> None:
        """Start the first episodes."""

    def advance(self, until: int, stopped: Callable[[], bool]) -> Iterator[dict[str, Tensor]]:
        """Update until so many updates are done, or, between two updates, until somebody wants to stop.

        All blocks have done the same number of updates at the end. The iterator is to be exhausted: what an
        update has made of the parameters is checked after its metrics have been taken.

        Yields:
            The metrics of each update, each (K,).
        """

    def evaluate(self, counter: int) -> Evaluated:
        """Greedy episodes of all runs."""

    def state(self) -> dict[str, Tensor]:
        """All that the runs need to go on."""

    def load(self, tensors: Mapping[str, Tensor], updates_done: int) -> None:
        """Go on from a state after so many updates."""

    def close(self) -> None:
        """End everything."""


class BlocksHere:
    """Blocks in this process, one after another in every update.

    Args:
        plans: of the blocks.
    """

    def __init__(self, plans: Sequence[RunPlan]) -> None:
        self.blocks = [Block(plan) for plan in plans]
        self.sizes = [len(plan.seeds) for plan in plans]

    @property
    def updates_done(self) -> int:
        """Of each block."""
        return self.blocks[0].updates_done

    def begin(self) -> None:
        for block in self.blocks:
            block.begin()

    def advance(self, until: int, stopped: Callable[[], bool]) -> Iterator[dict[str, Tensor]]:
        while self.updates_done < until:
            yield joined([block.update() for block in self.blocks])
            for block in self.blocks:
                block.check()
            if stopped():
                return

    def evaluate(self, counter: int) -> Evaluated:
        return Evaluated.joined([block.evaluate(counter) for block in self.blocks])

    def state(self) -> dict[str, Tensor]:
        return joined([block.state() for block in self.blocks])

    def load(self, tensors: Mapping[str, Tensor], updates_done: int) -> None:
        for block, share in zip(self.blocks, shares(tensors, self.sizes), strict=True):
            block.load(share, updates_done)

    def close(self) -> None:
        for block in self.blocks:
            block.close()


def block_plans(plan: RunPlan) -> list[RunPlan]:
    """The plans of a run's blocks; an accelerator computes all seeds at once."""
    size = BLOCK if plan.device == "cpu" else len(plan.seeds)
    starts = range(0, len(plan.seeds), size)
    return [replace(plan, seeds=plan.seeds[start : start + size]) for start in starts]


def joined(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tables of several blocks as one: rows of all runs, and numbers that all blocks share."""
    if len(parts) == 1:
        return dict(parts[0])
    return {
        name: torch.cat([part[name] for part in parts]) if first.dim() else first
        for name, first in parts[0].items()
    }


def shares(tensors: Mapping[str, Tensor], sizes: Sequence[int]) -> list[dict[str, Tensor]]:
    """A table of all runs as those of blocks of so many runs each: what `joined` joins.

    All tensors are copies, for optimisers count in the ones that they are given.
    """
    total = sum(sizes)
    stops = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [
        {
            name: (x[len(x) * (stop - size) // total : len(x) * stop // total] if x.dim() else x).clone()
            for name, x in tensors.items()
        }
        for size, stop in zip(sizes, stops, strict=True)
    ]
