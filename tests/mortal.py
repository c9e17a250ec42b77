"""A game whose agents die one by one at random, with values that are known exactly."""

from __future__ import annotations

import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from stmg_envs.protocol import Game, Outcome, State, Streams

LONGEST = 3
"""No agent lives for more timesteps."""


class Mortal(Game):
    """Three agents with lifetimes of 1 to 3 timesteps, drawn at the start; the game ends with the last.

    Action 1 pays an agent 1, and as much again for every other living agent that takes it as well; action 0
    pays nothing. So everybody takes 1 for as long as it lives. Observations are the agent's own remaining
    time, one-hot, and everyone's, which is also the global state.
    """

    agents = ("agent_0", "agent_1", "agent_2")
    action_spaces = (Discrete(2),) * 3
    observation_space = Box(0.0, 1.0, (4 * (LONGEST + 1),))
    state_space = Box(0.0, 1.0, (3 * (LONGEST + 1),))

    def reset(self, streams: Streams) -> State:
        return {"left": 1 + (streams.uniform(3) * LONGEST).long()}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        alive = self.alive(state)
        active = (actions == 1) & alive
        paid = torch.where(active, active.sum(dim=1, keepdim=True), 0).float()
        left = (state["left"] - 1).clamp(min=0)
        return Outcome({"left": left}, paid, ~(left > 0).any(dim=1))

    def observe(self, state: State) -> Tensor:
        shown = torch.nn.functional.one_hot(state["left"], LONGEST + 1).float()
        return torch.cat([shown, shown.flatten(1).unsqueeze(1).expand(-1, 3, -1)], dim=-1)

    def global_state(self, state: State) -> Tensor:
        return torch.nn.functional.one_hot(state["left"], LONGEST + 1).float().flatten(1)

    def alive(self, state: State) -> Tensor:
        return state["left"] > 0


def lifetimes(observations: Tensor) -> Tensor:
    """Remaining times (..., 3) of all agents from observations (..., 3, obs_dim)."""
    everyone = observations[..., 0, LONGEST + 1 :].unflatten(-1, (3, LONGEST + 1))
    return everyone.argmax(dim=-1)


def true_values(left: Tensor, gamma: float, summed: bool = False) -> Tensor:
    """Values of optimal play, float (..., 3), 0 for the dead.

    Args:
        left: remaining times, int64 (..., 3).
        gamma: discount per timestep.
        summed: whether agents learn from the sum of all agents' rewards, for as long as they live.
    """
    values = torch.zeros(left.shape)
    for step in range(LONGEST):
        alive = left > step
        count = alive.sum(dim=-1, keepdim=True)
        values += gamma**step * torch.where(alive, count * count if summed else count, 0)
    return values
