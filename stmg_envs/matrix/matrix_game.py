"""A game of any payoff tensor, played once or repeatedly with a memory of the last joint action."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stmg_envs.arguments import require_count, require_flag
from stmg_envs.equilibria import StageTable
from stmg_envs.equilibria.one_shot import check_payoffs
from stmg_envs.errors import UnknownNameError
from stmg_envs.matrix import payoffs as tables
from stmg_envs.matrix.stage_game import StageGame, Target, check_target


class MatrixGame(StageGame):
    """Any payoff tensor, any number of agents, played once or repeatedly with memory.

    | Space       | Each agent                                                              |
    |-------------|-------------------------------------------------------------------------|
    | Observation | Box(0, 1, (1,)), always 0; with memory Box(0, 1, (A1 + ... + An,)) |
    | Action      | Discrete(Ai)                                                            |

    With memory agents see the last joint action, one-hot per agent, zeros at first.

    **Rewards.** `payoffs[:, a1, ..., an]`.

    **Episode end.** Terminates after one step; with `repeats` > 1 truncated after that many.

    **Arguments.**

    | Name      | Default     | Meaning                                                              |
    |-----------|-------------|----------------------------------------------------------------------|
    | `payoffs` | "stag_hunt" | array (n, A1, ..., An), or the name of a classic                     |
    | `repeats` | 1           | timesteps per episode                                                |
    | `memory`  | False       | show the last joint action                                           |
    | `target`  | "global"    | optimum: "global" (largest sum) or "stackelberg" (of the priority)   |

    Classics: stag_hunt, chicken, matching_pennies, battle_of_the_sexes, climbing.

    **Version history.** v0: first version.

    Raises:
        InvalidArgumentError: for malformed payoffs, repeats < 1, or an unknown target.
        UnknownNameError: for an unknown table name.
    """

    def __init__(
        self,
        payoffs: ArrayLike | str = "stag_hunt",
        repeats: int = 1,
        memory: bool = False,
        target: Target = "global",
    ) -> None:
        if isinstance(payoffs, str):
            if payoffs not in tables.CLASSICS:
                raise UnknownNameError(
                    f"payoffs={payoffs!r} is no known table; expected one of {list(tables.CLASSICS)}"
                )
            payoffs = tables.CLASSICS[payoffs]
        require_count("repeats", repeats, 1)
        require_flag("memory", memory)
        array = check_payoffs(payoffs)
        table, observations = repeated(array, repeats, memory)
        max_steps = repeats if repeats > 1 else None
        super().__init__(table, observations, target=check_target(target), max_steps=max_steps)


def repeated(payoffs: tables.Payoffs, repeats: int, memory: bool) -> tuple[StageTable, tables.Payoffs]:
    """Stages of a repeated game: with memory one per last joint action, else a single one.

    Args:
        payoffs: (n, A1, ..., An).
        repeats: timesteps; 1 makes every joint action end the game.
        memory: whether stage 1 + j follows joint action j.

    Returns:
        The table, and what agents see of each stage, (S, obs_dim).
    """
    counts = payoffs.shape[1:]
    joint = int(np.prod(counts))
    stages = 1 + joint if memory else 1
    end = -1 if repeats == 1 else 0
    successors = np.full((stages, *counts), end, dtype=np.int64)
    observations = np.zeros((stages, sum(counts) if memory else 1))
    if memory:
        if repeats > 1:
            successors[:] = 1 + np.arange(joint).reshape(counts)
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
        for index, actions in enumerate(np.ndindex(*counts)):
            observations[1 + index, offsets + np.asarray(actions)] = 1.0
    return StageTable(np.repeat(payoffs[None], stages, axis=0), successors), observations
