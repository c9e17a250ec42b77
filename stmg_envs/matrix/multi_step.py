"""Ten-step games in which a joint action must be repeated before the last stage pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.equilibria import StageTable
from stmg_envs.matrix.payoffs import bimatrix, common
from stmg_envs.matrix.stage_game import StageGame, Target, check_target

STEP_SLOTS, BRANCH_SLOTS = 11, 4
NO_BRANCH = 3
"""The branch slot shown before the first decision."""


def repeat_then_choose(
    entries: Sequence[tuple[int, ...]], finals: Sequence[NDArray[np.float64]], steps: int
) -> tuple[StageTable, NDArray[np.float32]]:
    """Build the stages of a repeat-then-choose game.

    At step 0 the joint action `entries[b]` pays 1 to all and enters branch b; steps 1 to
    steps - 2 of branch b pay 1 for repeating it; the last step pays `finals[b]`. Anything else pays
    0 and ends the episode.

    Args:
        entries: one joint action per branch.
        finals: one payoff tensor (n, A1, ..., An) per branch.
        steps: length of a full episode.

    Returns:
        The table, its stages ordered by step and branch, and the observations (S, 15):
        one-hot(step, 11) ++ one-hot(branch, 4).
    """
    n, *counts = finals[0].shape
    branches = len(entries)
    count = 1 + (steps - 1) * branches
    payoffs = np.zeros((count, n, *counts))
    successors = np.full((count, *counts), -1, dtype=np.int64)
    observations = np.zeros((count, STEP_SLOTS + BRANCH_SLOTS), dtype=np.float32)
    observations[0, [0, STEP_SLOTS + NO_BRANCH]] = 1.0

    def stage(step: int, branch: int) -> int:
        return 1 + (step - 1) * branches + branch

    for branch, entry in enumerate(entries):
        repeated: tuple[Any, ...] = (slice(None), *entry)
        payoffs[0][repeated] = 1.0
        successors[(0, *entry)] = stage(1, branch)
        for step in range(1, steps):
            here = stage(step, branch)
            observations[here, [step, STEP_SLOTS + branch]] = 1.0
            if step == steps - 1:
                payoffs[here] = finals[branch]
            else:
                payoffs[here][repeated] = 1.0
                successors[(here, *entry)] = stage(step + 1, branch)
    return StageTable(payoffs, successors), observations


class Coordination(StageGame):
    """Ten steps with private rewards: agree on a branch, keep to it, then a matrix game decides.

    Step 0: joint action (1, 1) enters branch 0, (3, 3) branch 1, for reward 1 each; anything else
    pays 0 and ends the episode. Steps 1 to 8: repeating the branch's joint action pays 1 each,
    anything else pays 0 and ends the episode. Step 9 pays, in either branch (STEER paper, figure 2;
    entries from the released code, since the two papers contradict each other and these reproduce
    the published means):

    |        | a2 = 1 | a2 = 2 | a2 = 3 |
    |--------|--------|--------|--------|
    | a1 = 1 | 0, 0   | 0, 0   | 5, 10  |
    | a1 = 2 | 30, 0  | 10, 5  | 0, 0   |
    | a1 = 3 | 20, 15 | 0, 0   | 0, 0   |

    | Space       | Each agent                                               |
    |-------------|----------------------------------------------------------|
    | Observation | Box(0, 1, (15,)): one-hot(step, 11) ++ one-hot(branch, 4) |
    | Action      | Discrete(3)                                              |

    Before the first decision the branch is shown as slot 3.

    **Rewards.** As above. Best mean return 26.5, (29, 24), ending in (3, 1), which is the Stackelberg
    equilibrium with agent_0 leading and not a Nash equilibrium; ending in a Nash equilibrium
    gives 16.5.

    **Episode end.** Terminates after ten steps, or at the first joint action that pays 0.

    **Arguments.** `target` (default "global"): what counts as optimal, "global" (the largest sum of
    returns) or "stackelberg" (the equilibrium of the priority in force).

    **Version history.** v0: first version.
    """

    def __init__(self, target: Target = "global") -> None:
        final = bimatrix(
            [
                [(0, 0), (0, 0), (5, 10)],
                [(30, 0), (10, 5), (0, 0)],
                [(20, 15), (0, 0), (0, 0)],
            ]
        )
        table, observations = repeat_then_choose(((0, 0), (2, 2)), (final, final), steps=10)
        super().__init__(table, observations, target=check_target(target))


class Cooperation(StageGame):
    """Ten steps with common reward: repeat nine times, then switch.

    Step 0: joint action (1, 1) enters branch 0, (2, 2) branch 1, for reward 1; anything else pays 0
    and ends the episode. Steps 1 to 8: repeating the branch's joint action pays 1, anything else
    pays 0 and ends the episode. Step 9 pays (MAVEN's n-step matrix game; STEER paper, figure 4c. The
    released code keys branch 1 on an action that does not exist; this is the intended game):

    | branch 0 | a2 = 1 | a2 = 2 |   | branch 1 | a2 = 1 | a2 = 2 |
    |----------|--------|--------|---|----------|--------|--------|
    | a1 = 1   | 1      | 1      |   | a1 = 1   | 1      | 1      |
    | a1 = 2   | 1      | 4      |   | a1 = 2   | 1      | 1      |

    | Space       | Each agent                                               |
    |-------------|----------------------------------------------------------|
    | Observation | Box(0, 1, (15,)): one-hot(step, 11) ++ one-hot(branch, 4) |
    | Action      | Discrete(2)                                              |

    Before the first decision the branch is shown as slot 3.

    **Rewards.** As above, to both agents. Best return 13; branch 1 gives at most 10.

    **Episode end.** Terminates after ten steps, or at the first joint action that pays 0.

    **Arguments.** `target` (default "global"): what counts as optimal, "global" (the largest sum of
    returns) or "stackelberg" (the equilibrium of the priority in force).

    **Version history.** v0: first version.
    """

    def __init__(self, target: Target = "global") -> None:
        finals = (common([[1, 1], [1, 4]]), common([[1, 1], [1, 1]]))
        table, observations = repeat_then_choose(((0, 0), (1, 1)), finals, steps=10)
        super().__init__(table, observations, target=check_target(target))
