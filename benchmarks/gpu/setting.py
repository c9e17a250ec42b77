"""What every stage is told, and what stages are made of."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

import stmg_envs
from baselines.runs.block import DECISIONS, UPDATES, Block
from baselines.runs.plan import make_plan
from benchmarks.timing import median_ms
from stmg_envs.protocol import GameVectorEnv
from stmg_envs.protocol.capture import SWITCH

Row = dict[str, str | float | int | bool]
"""One line of a table: what was measured, by the name of its column."""

GAMES = (
    "stmg/Penalty-v0",
    "stmg/Coordination-v0",
    "stmg/CooperativeHunting-v0",
    "stmg/CooperativeCollection-v0",
    "stmg/OnRampMerge-v0",
    "stmg/Skirmish-v0",
)
"""One native game of each kind."""


@dataclass(frozen=True)
class Setting:
    """Where and how long to measure.

    Attributes:
        device: where.
        quick: whether sizes are those of a rehearsal on a CPU.
        until: when stages have to end, on the clock of `time.monotonic`.
    """

    device: torch.device
    quick: bool
    until: float

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.until - time.monotonic()

    @property
    def accelerated(self) -> bool:
        """Whether the device is a CUDA GPU."""
        return self.device.type == "cuda"

    def wait(self) -> None:
        """Until the device has done what it was asked for."""
        if self.accelerated:
            torch.cuda.synchronize(self.device)

    def ms(self, call: Callable[[], object], repeats: int = 10, warmup: int = 3) -> float:
        """Median milliseconds of a call until the device is done."""

        def finished() -> None:
            call()
            self.wait()

        return round(median_ms(finished, 2 if self.quick else repeats, 1 if self.quick else warmup), 3)


Stage = Callable[[Setting], Iterator[Row]]
"""Measures row by row, the most valuable first, so that it can be cut off."""


@contextmanager
def capturing(on: bool) -> Iterator[None]:
    """Have functions recorded, or called operation by operation."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1" if on else "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def started_game(name: str, batch: int, device: torch.device) -> GameVectorEnv:
    """A batch of a native game at the start of its episodes."""
    env = stmg_envs.vector_env(name, batch, str(device), validate=False)
    assert isinstance(env, GameVectorEnv)
    env.reset(seed=0)
    return env


def random_actions(env: GameVectorEnv, seed: int = 0) -> Tensor:
    """Legal or not, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    game, shape = env.game, (env.num_envs, env.game.n)
    if game.discrete:
        drawn = torch.randint(min(game.action_counts), shape, generator=generator)
    else:
        drawn = torch.rand(*shape, game.action_width, generator=generator) * 2 - 1
    return drawn.to(env.device)


def started_block(
    algorithm: str,
    game: str,
    runs: int,
    device: torch.device,
    env_args: Mapping[str, object] | None = None,
    **config: object,
) -> Block:
    """Some runs of an algorithm before their first update."""
    plan = make_plan(algorithm, game, env_args=env_args, seeds=runs, device=str(device), config=config)
    block = Block(plan)
    block.begin()
    return block


def collect(block: Block, number: int = 0) -> object:
    """A rollout; the same number gives the same decisions."""
    batch, _ = block.collector.collect(block.streams.fold(DECISIONS, number), 0.0)
    return batch


def update(block: Block, batch: object, number: int = 0) -> dict[str, Tensor]:
    """An update on a rollout."""
    return block.learner.update(batch, 0.0, block.streams.fold(UPDATES, number))
