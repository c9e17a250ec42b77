"""A game of three in which the best reply depends on who did what, under orders that vary."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.equilibria import stackelberg
from stmg_envs.protocol import Game, Outcome, State, Streams


def payoffs() -> NDArray[np.float64]:
    """Payoffs (3, 2, 2, 2) of agents 0 and 1, who claim (0) or yield (1), and of agent 2, who names one.

    One claim pays the claimant 3 and who yields 1; two claims, or none, pay nothing. Agent 2 gets 2 if it
    names the claimant, and then the two get 1 more. So whoever of the two decides first claims, the other one
    yields, and agent 2 names the first: what it does after "claim, yield" depends on who it was that claimed,
    and what it does when it decides first, on the order of those who follow.
    """
    table = np.zeros((3, 2, 2, 2))
    for claimant, joint in enumerate([(0, 1), (1, 0)]):
        table[claimant, *joint, :] = 3.0
        table[1 - claimant, *joint, :] = 1.0
        table[:2, *joint, claimant] += 1.0
        table[2, *joint, claimant] = 2.0
    return table


class Claims(Game):
    """One round of it. Agents see a number of their own, drawn anew in every episode, and nothing else."""

    agents = ("agent_0", "agent_1", "agent_2")
    action_spaces = (Discrete(2),) * 3
    observation_space = Box(0.0, 1.0, (1,))

    def reset(self, streams: Streams) -> State:
        return {"number": streams.uniform(3)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        rewards = torch.as_tensor(payoffs(), dtype=torch.float32)[
            :, actions[:, 0], actions[:, 1], actions[:, 2]
        ]
        return Outcome(state, rewards.T, torch.ones(len(actions), dtype=torch.bool))

    def observe(self, state: State) -> Tensor:
        return state["number"].unsqueeze(-1)

    def optimal_returns(self, priority: tuple[int, ...]) -> NDArray[np.float64]:
        return np.array([stackelberg(payoffs(), priority).payoffs])
