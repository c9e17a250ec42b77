"""What runs in a worker process: a block of environments that does what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch

from stmg_envs.pool.child import be_child, portable
from stmg_envs.pool.memory import SharedTables
from stmg_envs.protocol import Command, Metrics, ParallelBlock, ParallelSpaces, rows_of_tables

Answer = list[Metrics] | Exception
"""The metrics of each environment, or what one of them raised."""


@dataclass(frozen=True)
class Share:
    """What a worker needs to know.

    Attributes:
        make: makes one environment, pickled.
        spaces: what learners know of the environments.
        tables: those of the whole batch.
        rows: which environments are the worker's.
    """

    make: bytes
    spaces: ParallelSpaces
    tables: SharedTables
    rows: slice

    def block(self) -> ParallelBlock:
        """The worker's environments."""
        import cloudpickle

        make = cloudpickle.loads(self.make)
        envs = [make() for _ in range(self.rows.start, self.rows.stop)]
        return ParallelBlock(
            envs, self.spaces, rows_of_tables(self.tables.open(), self.rows), self.rows.start
        )


def serve(connection: Connection, share: Share) -> None:
    """Make the environments, say so with an empty answer, and obey commands until the other end closes.

    Args:
        connection: to the process that gives commands.
        share: what is to be done here.
    """
    be_child()
    torch.set_num_threads(1)
    try:
        block = share.block()
    except Exception as error:
        connection.send(portable(error))
        return
    try:
        connection.send([])
        while True:
            command: Command = connection.recv()
            connection.send(_obey(block, command))
    except (EOFError, ConnectionError):
        block.close()


def _obey(block: ParallelBlock, command: Command) -> Answer:
    try:
        answer: list[Metrics] = getattr(block, command)()
        return answer
    except Exception as error:
        return portable(error)
