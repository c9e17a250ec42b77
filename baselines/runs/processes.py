"""Blocks of seeds in processes of their own, each of which uses few threads: how many cores are used best."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from baselines.algorithms.registry import ALGORITHMS
from baselines.errors import TrainingProcessError
from baselines.evaluation.greedy import Evaluated
from baselines.runs.blocks import Blocks, BlocksHere, block_plans, joined, shares
from baselines.runs.plan import RunPlan, make_plan
from stmg_envs.pool import be_child, ending, portable, process_context
from stmg_envs.registry import REGISTRY

CLOSING_SECONDS = 5.0
"""What processes get to end their environments."""


def make_blocks(plan: RunPlan, processes: int) -> Blocks:
    """The blocks of a plan's seeds, in this process or in so many others if there are as many blocks.

    What this program alone has registered no other process knows: it is trained in this one.
    """
    plans = block_plans(plan)
    known = plan.env_id not in REGISTRY.added and plan.algorithm.name not in ALGORITHMS.added
    count = min(processes, len(plans)) if known else 1
    return BlocksHere(plans) if count == 1 else BlocksInProcesses(plans, count)


def default_processes() -> int:
    """As many as this process may use cores, each with the present number of torch's threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // torch.get_num_threads())


class BlocksInProcesses:
    """Blocks in several processes; each updates its own up to the next evaluation without waiting for others.

    Args:
        plans: of the blocks.
        count: processes, at most as many as blocks.

    Raises:
        TrainingProcessError: here and in all methods, if a process ends by itself.
    """

    def __init__(self, plans: Sequence[RunPlan], count: int) -> None:
        context = process_context([serve.__module__])
        self.updates_done = 0
        cuts = [len(plans) * number // count for number in range(count + 1)]
        groups = [plans[start:stop] for start, stop in pairwise(cuts)]
        self.sizes = [sum(len(plan.seeds) for plan in group) for group in groups]
        self.workers = [TrainingProcess(context, group) for group in groups]
        try:
            self._answers()
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        self._ask("begin")

    def advance(self, until: int, stopped: Callable[[], bool]) -> Iterator[dict[str, Tensor]]:
        self._tell("advance", until)
        halted = False
        while self.updates_done < until:
            tables = self._answers()
            self.updates_done += 1
            yield joined([{name: torch.from_numpy(x) for name, x in table.items()} for table in tables])
            if stopped() and not halted:
                halted = True
                until = self._halt()
                self._tell("advance", until)

    def _halt(self) -> int:
        """Have all processes stop; the number of updates that the foremost has done."""
        self._tell("halt")
        return max(worker.position() for worker in self.workers)

    def evaluate(self, counter: int) -> Evaluated:
        return Evaluated.joined(self._ask("evaluate", counter))

    def state(self) -> dict[str, Tensor]:
        return joined([load(state) for state in self._ask("state")])

    def load(self, tensors: Mapping[str, Tensor], updates_done: int) -> None:
        for worker, share in zip(self.workers, shares(tensors, self.sizes), strict=True):
            worker.tell("load", (_packed(share), updates_done))
        self._answers()
        self.updates_done = updates_done

    def close(self) -> None:
        for worker in self.workers:
            worker.connection.close()
        for worker in self.workers:
            worker.end()

    def _ask(self, command: str, argument: Any = None) -> list[Any]:
        self._tell(command, argument)
        return self._answers()

    def _tell(self, command: str, argument: Any = None) -> None:
        for worker in self.workers:
            worker.tell(command, argument)

    def _answers(self) -> list[Any]:
        return [worker.answer() for worker in self.workers]


class TrainingProcess:
    """One process with some of the blocks, as seen from the one that commands it.

    Args:
        context: how it is started.
        plans: of its blocks.
    """

    def __init__(self, context: BaseContext, plans: Sequence[RunPlan]) -> None:
        self.seeds = [seed for plan in plans for seed in plan.seeds]
        self._early: deque[Any] = deque()
        self.connection, theirs = context.Pipe()
        jobs = [plan.as_dict() for plan in plans]
        name = f"stmg train, seeds {self.seeds[0]}..{self.seeds[-1]}"
        # No daemon, as those may not start the processes in which engines step.
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs, jobs, torch.get_num_threads()), name=name
        )
        self.process.start()
        theirs.close()

    def tell(self, command: str, argument: Any = None) -> None:
        """Give a command."""
        try:
            self.connection.send((command, argument))
        except OSError:
            raise self._lost() from None

    def answer(self) -> Any:
        """The next thing that it says; what it raised is raised here."""
        said = self._early.popleft() if self._early else self._receive()
        if isinstance(said, Exception):
            raise said
        return said

    def position(self) -> int:
        """How many updates it has done when it has halted; what it says before that is kept for `answer`."""
        while not isinstance(said := self._receive(), int):
            self._early.append(said)
            if isinstance(said, Exception):
                raise said
        return said

    def end(self) -> None:
        """Wait until it has ended, now that its connection is closed; kill it if that takes long."""
        self.process.join(CLOSING_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _receive(self) -> Any:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            raise self._lost() from None

    def _lost(self) -> TrainingProcessError:
        self.process.join(CLOSING_SECONDS)
        return TrainingProcessError(
            f"the process that trains seeds {self.seeds[0]}..{self.seeds[-1]} "
            f"{ending(self.process.exitcode)}; expected it to go on to the end: resume the run from its last "
            f"checkpoint, with fewer processes if memory ran out"
        )


def serve(connection: Connection, jobs: Sequence[dict[str, Any]], threads: int) -> None:
    """Make blocks, say so with an empty answer, and obey commands until the other end closes.

    Args:
        connection: to the process that gives commands.
        jobs: plans of the blocks, as plain data.
        threads: of torch.
    """
    be_child()
    torch.set_num_threads(threads)
    try:
        blocks = BlocksHere([make_plan(**job) for job in jobs])
        connection.send(None)
    except Exception as error:
        connection.send(portable(error))
        return
    with closing(blocks):
        try:
            while True:
                command, argument = connection.recv()
                try:
                    for answer in COMMANDS[command](blocks, argument, connection):
                        connection.send(answer)
                except Exception as error:
                    connection.send(portable(error))
        except (EOFError, ConnectionError):
            return


def _advance(blocks: BlocksHere, until: int, connection: Connection) -> Iterator[Any]:
    # Whatever else arrives, a command or the end of the connection, is a reason to stop.
    for metrics in blocks.advance(until, connection.poll):
        yield {name: np.asarray(x) for name, x in metrics.items()}


def _load(blocks: BlocksHere, state: tuple[bytes, int], _: Connection) -> Iterator[Any]:
    blocks.load(load(state[0]), state[1])
    yield None


def _begin(blocks: BlocksHere, _: None, __: Connection) -> Iterator[Any]:
    blocks.begin()
    yield None


COMMANDS: dict[str, Callable[[BlocksHere, Any, Connection], Iterator[Any]]] = {
    "begin": _begin,
    "load": _load,
    "advance": _advance,
    "halt": lambda blocks, _, __: iter([blocks.updates_done]),
    "evaluate": lambda blocks, counter, _: iter([blocks.evaluate(counter)]),
    "state": lambda blocks, _, __: iter([_packed(blocks.state())]),
}
"""What a process can be told, and what it answers."""


def _packed(tensors: Mapping[str, Tensor]) -> bytes:
    return save({name: x.detach().cpu().contiguous().clone() for name, x in tensors.items()})
