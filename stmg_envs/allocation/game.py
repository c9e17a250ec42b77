"""Resource Allocation: n agents take shares of a stock that is worth most at one sum."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.allocation.rendering import Picture, draw, write
from stmg_envs.allocation.words import AllocationText
from stmg_envs.allocation.worth import MOST, best_total, worth
from stmg_envs.arguments import require_choice, require_count, require_flag, require_number
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Game, Outcome, State, Streams

Credit = Literal["team", "difference"]
"""What an agent is paid: what the sum is worth, or the difference that its own share makes."""

MOST_AGENTS = 1000
"""Own observations grow with the agents, so those of all with their square: 4 MB an episode for so many."""


class ResourceAllocation(Game):
    """Agents take shares of one stock, and all are paid by how their sum compares with what it holds.

    The first task of LLaMAC (Zhang et al. 2023, arXiv 2311.13884): agent i takes a^i out of 0..9, the sum is
    x = a^1 + ... + a^n, and the joint action is worth

        G(x) = x exp(-(x - mu)^2 / sigma^2).

    Nobody can tell from its own share what the sum is, and every mistake is shared by all; who sees the
    shares of its superiors can correct them. Numbers of agents that were published are 3, 5, 10, 20 and 50.
    The paper's mu and sigma were not to be found, so the defaults are ours, and returns cannot be compared
    with published ones. (The scale of a mean-field paper, mu = 4n and sigma = 2n, is nearly solved by chance:
    there uniformly random shares get 0.62 of the optimum with 3 agents and 0.96 with 50; here 0.30 and 0.21.)

    | Space       | Each of n agents                                                          |
    |-------------|---------------------------------------------------------------------------|
    | Action      | Discrete(10): how much it takes; all are legal                            |
    | Observation | Box, (3 + n,), or with several rounds (6 + 2n,), see below                |
    | State       | the observation without the id: Box, (3,), or (6 + n,)                    |

    | Numbers   | Observation                                                                         |
    |-----------|-------------------------------------------------------------------------------------|
    | 0-2       | mu / 9n, sigma / 9n, n / 50                                                         |
    | n         | id, one-hot                                                                         |
    | 1         | with `rounds` > 1: the share of rounds that have been played                        |
    | n         | with `rounds` > 1: the last joint action, every share / 9, in the agents' own order |
    | 2         | with `rounds` > 1: the last sum / 9n, and the last own reward / 9n                  |

    Before the first round what tells of the last one is 0. A joint action takes one number for each agent,
    not ten, so that an own observation stays linear in n. The state has G(x) where agents see their rewards.

    **Rewards.** With `credit="team"` everybody gets G(x); with `credit="difference"` agent i gets
    G(x) - G(x - a^i), what its share added, which is below 0 for shares that are too much.

    **Hidden stocks.** With `hidden=True` every episode draws its own mu uniformly between mu / 2 and
    3 mu / 2, but never above 9n, and neither observations nor the state show it: they hold the argument.
    What agents can learn of it they learn from rewards, so with several rounds memory, or what is seen of the
    last round, matters.

    **Metrics.** `optimal`: 1 if the sum is the best one x*. `efficiency`: G(x) / G(x*). `gap`: |x - x*|.
    All are those of the last round. x* is found by a scan over the 9n + 1 sums.

    **Dilemma.** With `credit="team"` there is none, but many equilibria: all joint actions with the sum x*,
    and what is best for one depends on all others.

    **Episode end.** Terminates after `rounds` joint steps; there is no truncation.

    **Neighbours.** All agents are neighbours.

    Args:
        n: agents, 1 to 1000.
        mu: where the exponential is 1, 0 to 9n; None: 3n, ours.
        sigma: its width, 1 to 9n; None: n, ours. With less than 1 it could fall between two sums.
        rounds: joint steps in an episode; 1 as published, more are ours.
        hidden: whether mu is drawn and unseen; ours.
        credit: "team" as published, or "difference", ours.

    Raises:
        InvalidArgumentError: for an argument out of range.

    **Version history.** v0: first version.
    """

    def __init__(
        self,
        n: int = 10,
        mu: float | None = None,
        sigma: float | None = None,
        rounds: int = 1,
        hidden: bool = False,
        credit: Credit = "team",
    ) -> None:
        require_count("n", n, 1, MOST_AGENTS)
        require_count("rounds", rounds, 1)
        require_flag("hidden", hidden)
        require_choice("credit", credit, get_args(Credit))
        self.most = MOST * n
        self.mu = float(3 * n) if mu is None else _within("mu", mu, 0, self.most)
        self.sigma = float(n) if sigma is None else _within("sigma", sigma, 1, self.most)
        self.rounds = rounds
        self.hidden = hidden
        self.credit = credit
        self.agents = tuple(f"agent_{i}" for i in range(n))
        self.action_spaces = tuple(Discrete(MOST + 1) for _ in range(n))
        about = [self.mu / self.most, self.sigma / self.most, n / 50]
        last = [1.0] * (n + 3) if rounds > 1 else []
        low = -1.0 if last and credit == "difference" else 0.0
        high = max(1.0, n / 50)
        self.observation_space = Box(low, high, (3 + n + len(last),), np.float32)
        self.state_space = Box(0.0, high, (3 + len(last),), np.float32)
        self._fixed = torch.cat([torch.tensor([about]).expand(n, -1), torch.eye(n)], dim=1)
        if not hidden:
            center = torch.tensor([self.mu], dtype=torch.float64)
            self.best = int(best_total(n, center, self.sigma))
            self.most_worth = float(worth(torch.tensor(self.best), center, self.sigma))

    def reset(self, streams: Streams) -> State:
        zero = torch.zeros_like(streams.keys)
        mu = zero.new_full(zero.shape, self.mu, dtype=torch.float64)
        if self.hidden:
            low, high = self.mu / 2, min(1.5 * self.mu, self.most)
            mu = low + (high - low) * streams.uniform(1, dtype=torch.float64)[:, 0]
        return {
            "mu": mu,
            "best": best_total(self.n, mu, self.sigma) if self.hidden else zero + self.best,
            "taken": zero[:, None].repeat(1, self.n),
            "played": zero,
        }

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        played = state["played"] + 1
        successor = {**state, "taken": actions, "played": played}
        total, best = actions.sum(dim=1), state["best"]
        gained, most = (worth(x, state["mu"], self.sigma) for x in (total, best))
        metrics = {
            "optimal": (total == best).float(),
            "efficiency": (gained / most).float(),
            "gap": (total - best).abs().float(),
        }
        return Outcome(successor, self._rewards(successor), played >= self.rounds, metrics)

    def observe(self, state: State) -> Tensor:
        parts = [self._known(state).expand(len(state["mu"]), -1, -1)]
        if self.rounds > 1:
            seen = self._last(state)[:, None].expand(-1, self.n, -1)
            parts += [seen, self._rewards(state)[..., None] / self.most]
        return torch.cat(parts, dim=-1)

    def global_state(self, state: State) -> Tensor:
        parts = [self._known(state)[0, :3].expand(len(state["mu"]), -1)]
        if self.rounds > 1:
            parts += [self._last(state), self._gained(state)[:, None].float() / self.most]
        return torch.cat(parts, dim=-1)

    def optimal_returns(self, priority: tuple[int, ...]) -> NDArray[np.float64] | None:
        # Who takes how much of the best sum is open, and by it all differences are.
        if self.hidden or self.credit == "difference":
            return None
        return np.full((1, self.n), self.rounds * self.most_worth)

    def return_scale(self) -> NDArray[np.float64] | float:
        return 0.0 if self.hidden else self.rounds * self.most_worth

    def text(self) -> AllocationText:
        return AllocationText(self.agents, None if self.hidden else self.mu, self.sigma, self.rounds)

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        totals = torch.arange(self.most + 1)
        curve = worth(totals, float(state["mu"][0]), self.sigma)
        order = tuple(range(self.n)) if priority is None else priority
        played, taken = int(state["played"][0]), state["taken"][0].tolist()
        picture = Picture(
            curve=curve.numpy(),
            best=int(state["best"][0]),
            shares=tuple((self.agents[agent], taken[agent]) for agent in order) if played else (),
            played=played,
            rounds=self.rounds,
        )
        return write(picture) if mode == "ansi" else draw(picture)

    def _gained(self, state: State) -> Tensor:
        """What the last joint action is worth, float64 (B,); 0 before the first."""
        return worth(state["taken"].sum(dim=1), state["mu"], self.sigma)

    def _rewards(self, state: State) -> Tensor:
        """What the last joint action pays, float32 (B, n)."""
        gained = self._gained(state)[:, None]
        if self.credit == "team":
            return gained.expand(-1, self.n).float()
        taken = state["taken"]
        without = taken.sum(dim=1, keepdim=True) - taken
        return (gained - worth(without, state["mu"][:, None], self.sigma)).float()

    def _known(self, state: State) -> Tensor:
        """What agents know of the game and of who they are, float32 (n, 3 + n), on the state's device."""
        device = state["mu"].device
        if self._fixed.device != device:
            self._fixed = self._fixed.to(device)
        return self._fixed

    def _last(self, state: State) -> Tensor:
        """How many rounds have been played, and the last joint action with its sum, float32 (B, n + 2)."""
        taken = state["taken"]
        played = state["played"][:, None] / self.rounds
        return torch.cat([played, taken / MOST, taken.sum(dim=1, keepdim=True) / self.most], dim=-1)


def _within(name: str, value: float, low: int, high: int) -> float:
    """A number of a range.

    Raises:
        InvalidArgumentError: for anything else.
    """
    require_number(name, value)
    if not low <= value <= high:
        raise InvalidArgumentError(f"{name}={value!r} is out of range; expected a number in {low}..{high}")
    return float(value)
