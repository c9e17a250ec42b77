"""The one-shot games: every step is an episode and the observation is the constant [0]."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np

from stmg_envs.arguments import LARGEST, shown
from stmg_envs.equilibria import StageTable
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix import payoffs as tables
from stmg_envs.matrix.stage_game import StageGame, Target


class OneShotGame(StageGame):
    """A payoff tensor of shape (n, A1, ..., An) played once.

    Args:
        payoffs: payoff of each agent for each joint action.
        agents: names of the agents.
        action_names: names of each agent's actions.
        target: what counts as optimal, see StageGame.
    """

    def __init__(
        self,
        payoffs: tables.Payoffs,
        agents: Sequence[str] | None = None,
        action_names: Sequence[Sequence[str]] | None = None,
        target: Target = "global",
    ) -> None:
        table = StageTable(payoffs[None], np.full((1, *payoffs.shape[1:]), -1, dtype=np.int64))
        super().__init__(table, np.zeros((1, 1)), agents, action_names, target)


class Penalty(OneShotGame):
    """Miss each other and pay k: the safe joint action (2, 2) tempts, (1, 3) is best.

    Common reward (STEER paper, figure 4b):

    |        | a2 = 1 | a2 = 2 | a2 = 3 |
    |--------|--------|--------|--------|
    | a1 = 1 | k      | 0      | 10     |
    | a1 = 2 | 0      | 2      | 0      |
    | a1 = 3 | 8      | 0      | k      |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(3)           |

    **Rewards.** The entry of the table, to both agents. For k <= 0 the pure Nash equilibria pay
    10, 2 and 8; the Stackelberg equilibrium of either order is (1, 3) with 10.

    **Episode end.** Terminates after one step.

    **Arguments.** `k` (float, default 0): the penalty; published values are 0, -25, -50, -75, -100,
    -1000 and -10000.

    **Version history.** v0: first version.

    Raises:
        InvalidArgumentError: if k is not a finite number.
    """

    def __init__(self, k: float = 0.0) -> None:
        if not isinstance(k, Real) or isinstance(k, bool) or not abs(k) < LARGEST:
            raise InvalidArgumentError(f"k={shown(k)} is not a finite number; expected for instance k=-100")
        self.k = float(k)
        super().__init__(tables.penalty(self.k))


class Mixing(OneShotGame):
    """Private rewards whose Stackelberg equilibrium depends on who leads.

    Payoffs (r1, r2) (STEER paper, figure 4a; entries from the released code):

    |        | a2 = 1   | a2 = 2   | a2 = 3   |
    |--------|----------|----------|----------|
    | a1 = 1 | 0, 5     | -10, -5  | -8, 4    |
    | a1 = 2 | -5, -10  | -5, 0    | -15, -5  |
    | a1 = 3 | 5, 0     | -10, -5  | -10, 5   |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(3)           |

    **Rewards.** The only pure Nash equilibrium is (2, 2). With agent_0 leading the Stackelberg
    equilibrium is (1, 1) = (0, 5), mean 2.5; with agent_1 leading it is (1, 3) = (-8, 4). The
    optimum of this game is the Stackelberg equilibrium of the priority in force: (3, 1) = (5, 0) has
    the same mean as (1, 1), but no rational follower plays it.

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        super().__init__(tables.MIXING, target="stackelberg")


class PrisonersDilemma(OneShotGame):
    """Cooperate (C) or defect (D): defection dominates, cooperation is best for both.

    Payoffs (r1, r2) (DRI paper, figure 1):

    |   | C      | D     |
    |---|--------|-------|
    | C | 10, 10 | 0, 18 |
    | D | 18, 0  | 2, 2  |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(2)           |

    **Rewards.** The entry of the table. Nash and Stackelberg equilibrium: (D, D). Optimum: (C, C).

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        super().__init__(tables.PRISONERS_DILEMMA, action_names=["CD", "CD"])


class Maintain(OneShotGame):
    """The best joint action is the Stackelberg equilibrium and not a Nash equilibrium.

    Payoffs (r1, r2) (Zhang et al. 2020, "Bi-level Actor-Critic"; DRI paper, table 1):

    |   | X      | Y     | Z     |
    |---|--------|-------|-------|
    | A | 20, 15 | 0, 0  | 0, 0  |
    | B | 30, 0  | 10, 5 | 0, 0  |
    | C | 0, 0   | 0, 0  | 5, 10 |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(3)           |

    **Rewards.** The entry of the table. Nash equilibria B-Y and C-Z; optimum, and Stackelberg
    equilibrium with the row player leading, A-X.

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        super().__init__(tables.MAINTAIN, action_names=["ABC", "XYZ"])


class Escape(OneShotGame):
    """Three common-reward Nash equilibria, the best one apart from the others.

    Common reward (Zhang et al. 2020; identified by its values in the released code):

    |        | a2 = 1 | a2 = 2 | a2 = 3 |
    |--------|--------|--------|--------|
    | a1 = 1 | 15     | 10     | 0      |
    | a1 = 2 | 10     | 10     | 0      |
    | a1 = 3 | 0      | 0      | 30     |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(3)           |

    **Rewards.** The entry of the table, to both agents. Optimum (3, 3) = 30.

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        super().__init__(tables.ESCAPE)


class Meeting(OneShotGame):
    """Gus, Henry and Scooter choose where to meet; the cornfield is best for all.

    Gus and Henry choose among Henry's room, the classroom and the cornfield, Scooter between
    Henry's room and the cornfield (DRI paper, appendix B.1). Published are the best joint action,
    everyone in the cornfield with (7, 7, 6), which is a Nash equilibrium, and that there is at least
    one inferior one. **The other entries are ours**: an agent alone gets 1; two in one place get 3
    each (4 in the cornfield); all three in Henry's room get (4, 5, 4), an inferior Nash equilibrium.

    | Space       | Each agent                          |
    |-------------|-------------------------------------|
    | Observation | Box(0, 1, (1,)), always 0           |
    | Action      | Discrete(3); Scooter: Discrete(2)   |

    **Rewards.** The entry of the table. Agents are `gus_0`, `henry_0`, `scooter_0`.

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        places = ("room", "classroom", "cornfield")
        names = (places, places, ("room", "cornfield"))
        super().__init__(tables.MEETING, ("gus_0", "henry_0", "scooter_0"), names)


class HuntingStage(OneShotGame):
    """The stage game of cooperative hunting: the interceptor takes a hit for the team or not.

    Payoffs (attacker, interceptor) (DRI paper, table 2):

    |           | Approach | Avoid |
    |-----------|----------|-------|
    | Approach  | 15, -5   | 5, 0  |
    | Avoid     | 0, -5    | 0, 0  |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(2)           |

    **Rewards.** The entry of the table. Nash and Stackelberg equilibrium (Approach, Avoid);
    optimum (Approach, Approach).

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        names = ("approach", "avoid")
        super().__init__(tables.HUNTING_STAGE, ("attacker_0", "interceptor_0"), (names, names))


class CollectionStage(OneShotGame):
    """The stage game of cooperative collection: leave the food to the agent it suits.

    Payoffs (green, purple) (DRI paper, table 3):

    |          | Approach | Leave |
    |----------|----------|-------|
    | Approach | 10, 5    | 20, 0 |
    | Leave    | 0, 10    | 0, 0  |

    | Space       | Each agent            |
    |-------------|-----------------------|
    | Observation | Box(0, 1, (1,)), always 0 |
    | Action      | Discrete(2)           |

    **Rewards.** The entry of the table. Nash and Stackelberg equilibrium (Approach, Approach);
    optimum (Approach, Leave).

    **Episode end.** Terminates after one step.

    **Arguments.** None.

    **Version history.** v0: first version.
    """

    def __init__(self) -> None:
        names = ("approach", "leave")
        super().__init__(tables.COLLECTION_STAGE, ("green_0", "purple_0"), (names, names))
