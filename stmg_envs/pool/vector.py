"""A batch of engines' environments that are stepped by worker processes.

Ours, because none of the libraries looked at (Gymnasium, Stable-Baselines3, SuperSuit, TorchRL, EnvPool,
PufferLib) goes on when a worker dies or hangs: at best the training ends with an error. Nor do they give the
final observations, masks, neighbour graphs and seeds of multi-agent environments as one batch.
"""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Collection
from multiprocessing.connection import Connection
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from stmg_envs.arguments import require_count, require_positive
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.pool.errors import WorkerError
from stmg_envs.pool.memory import SharedTables
from stmg_envs.pool.patience import ANSWER_SECONDS
from stmg_envs.pool.supervision import Loss, Worker, end, gather, process_context
from stmg_envs.pool.worker import Share
from stmg_envs.protocol import (
    FINAL,
    MAX_LOSSES,
    Command,
    EngineVectorEnv,
    Make,
    Metrics,
    ParallelSpaces,
)

STARTING_SECONDS = 300.0
"""What workers get at first to import their engine and to make their environments."""

log = logging.getLogger(__name__)


class PoolVectorEnv(EngineVectorEnv):
    """B parallel environments of anybody's as tensors, stepped by processes over shared memory.

    The numbers are those of `ParallelVectorEnv`, whatever the number of workers. Worker w has environments
    w B / W, ..., (w + 1) B / W - 1 and steps them one after another.

    A worker that dies, or does not answer in time, is started again and its environments begin their next
    episodes. Their present ones are lost, which `info["lost"]` of the step says (see `JointVectorEnv`) and
    the log of this module; nothing of the step is used, as it may have been half done. An error that an
    environment raises is raised by `receive`, with its index in the message; after a reset all goes on.

    Workers end with `close`, with the object, and with this process, however it ends.

    Args:
        make: makes one environment; it is pickled, by value where necessary.
        num_envs: B.
        device: where the tensors go.
        workers: W, processes; no more are started than there are environments.
        timeout: seconds after which a worker that does not answer counts as lost. It steps all its
            environments in that time, and begins episodes. One that is started again gets as long as all
            workers took at first, besides.

    Raises:
        InvalidArgumentError: if the spaces are not supported, or for a number out of range.
        WorkerError: if workers cannot be started.
    """

    def __init__(
        self,
        make: Make,
        num_envs: int,
        device: torch.device | str = "cpu",
        workers: int = 2,
        timeout: float = ANSWER_SECONDS,
    ) -> None:
        require_count("num_envs", num_envs, 1)
        require_count("workers", workers, 1)
        require_positive(timeout=timeout)
        example = make()
        super().__init__(ParallelSpaces(example), num_envs, device)
        example.close()
        self.timeout = timeout
        self._losses = np.zeros(num_envs, int)
        context = process_context([Worker.__module__, "stmg_envs.views"])
        shared = SharedTables(self.layout, context)
        self.tables = shared.open()
        count = min(workers, num_envs)
        edges = [w * num_envs // count for w in range(count + 1)]
        # Here, for it is slow to import and only workers need it.
        import cloudpickle

        recipe = cloudpickle.dumps(make)
        self.workers: list[Worker] = []
        self._end = weakref.finalize(self, end, self.workers)
        for number, rows in enumerate(map(slice, edges, edges[1:])):
            self.workers.append(Worker(context, Share(recipe, self.game, shared, rows), number))
        self._starting = self._await_start()

    def close(self) -> None:
        self._end()

    def awaited(self, ready: Collection[Connection] = ()) -> list[Connection]:
        for worker in self.workers:
            if worker.connection in ready and worker.answer is None:
                worker.listen()
        return [worker.connection for worker in self.workers if worker.answer is None]

    def _start(self, command: Command) -> None:
        if not self._end.alive:
            raise InvalidArgumentError("the environments are closed; make new ones")
        for worker in self.workers:
            worker.ask(command)

    def _finish(self) -> tuple[list[Metrics], NDArray[np.bool_]]:
        lost = np.zeros(self.num_envs, bool)
        metrics: list[Metrics] = []
        errors = []
        gather(self.workers, self.timeout)
        for worker in self.workers:
            rows = worker.share.rows
            if isinstance(worker.answer, list):
                metrics += worker.answer
            elif isinstance(worker.answer, Exception):
                errors.append(worker.answer)
            else:
                lost[rows] = True
                metrics += [{}] * (rows.stop - rows.start)
                self._replace(worker)
        if errors:
            raise errors[0]
        ended = self.tables["terminated"] | self.tables["truncated"]
        self._losses[ended & ~lost] = 0
        if lost.any():
            self._forget_step(lost)
        return metrics, lost

    def _abandon(self) -> None:
        gather(self.workers, self.timeout)

    def _forget_step(self, lost: NDArray[np.bool_]) -> None:
        """Put into the tables what is known of a step in which episodes, bool (B,), were lost."""
        self.tables["rewards"][lost] = 0.0
        self.tables["terminated"][lost], self.tables["truncated"][lost] = False, True
        self.tables["terminations"][lost] = False
        self.tables["truncations"][lost] = self._observations["alive"].cpu().numpy()[lost]
        for name, last in self._observations.items():
            self.tables[FINAL + name][lost] = last.cpu().numpy()[lost]

    def _replace(self, worker: Worker) -> None:
        """Start a lost worker again and have its environments begin their next episodes.

        Raises:
            WorkerError: if that does not help.
        """
        losses = self._losses[worker.share.rows]
        while isinstance(worker.answer, Loss):
            reason = worker.answer.reason
            log.warning("%s %s; it is started again, its episodes are lost", worker, reason)
            worker.kill()
            losses += 1
            if losses.max() >= MAX_LOSSES:
                index = worker.share.rows.start + int(losses.argmax())
                self._give_up(
                    f"environment {index} was lost {losses.max()} times before one of its episodes ended; at "
                    f"last {worker} {reason}"
                )
            worker.start()
            gather([worker], self.timeout + self._starting)
            if isinstance(worker.answer, list):
                worker.ask("reset")
                gather([worker], self.timeout)
        if isinstance(worker.answer, Exception):
            raise worker.answer

    def _await_start(self) -> float:
        """Wait until all workers have made their environments; raise what keeps them from it.

        Returns:
            How many seconds they took.
        """
        began = time.monotonic()
        gather(self.workers, STARTING_SECONDS)
        for worker in self.workers:
            if isinstance(worker.answer, Exception):
                self.close()
                raise worker.answer
            if isinstance(worker.answer, Loss):
                self._give_up(
                    f"{worker} {worker.answer.reason} while it made its environments (a script that makes "
                    f'workers needs the guard `if __name__ == "__main__"`)'
                )
        return time.monotonic() - began

    def _give_up(self, reason: str) -> NoReturn:
        self.close()
        raise WorkerError(f"{reason}; run with workers=0 to see it happen in this process")
