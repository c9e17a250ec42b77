"""Grid transport: agents that cannot move pass boxes on to the targets of their colours."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from stmg_envs.arguments import require_choice, require_count
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Game, Outcome, State, Streams
from stmg_envs.transport.board import Board, corner_board, square_board
from stmg_envs.transport.moves import ACTIONS, Moves, applied, legal_actions, made, nearest_ways
from stmg_envs.transport.rendering import draw, write
from stmg_envs.transport.scattering import scatter_singles, scatter_stacks
from stmg_envs.transport.words import TransportText

Variant = Literal["easy", "hard"]
Reward = Literal["progress", "sparse"]
Credit = Literal["team", "own"]

VARIANTS = {"easy": (square_board, scatter_stacks), "hard": (corner_board, scatter_singles)}
PROGRESS, TIME = 0.5, 0.01
"""Weight of the way that boxes come nearer, and what a timestep costs."""
LARGEST = 32
"""Rows and columns at most."""
MANY = 17
"""Squares from which on episodes are longer."""


class GridTransport(Game):
    """Boxes of five colours lie on a grid, and each goes into a target of its colour.

    The task on which LLaMAC was shown (Zhang et al. 2023, arXiv 2311.13884), from the multi-agent planning
    tasks of Chen et al. 2023 (BoxNet1 and BoxNet2 of HMAS-2). An agent sits in every square of R rows and C
    columns and cannot move. In a timestep each may move one box, or do nothing.

    | Space       | Each of n = R * C agents                                                        |
    |-------------|---------------------------------------------------------------------------------|
    | Action      | Discrete(26): 0 stays; 1 + 5c + k does k with a box of colour c                 |
    | Observation | Box, 68 numbers ("easy") or 63 ("hard"), see below                              |
    | State       | Box: boxes in all places and targets in all squares by colour, share of time    |

    **"easy".** Of each colour there are one to three boxes and as many targets, each in a square of its own
    random choice; squares hold any number. An agent moves a box of its square to the square in the north,
    south, west or east (k = 0, 1, 2, 3), or into a target of the colour in its square (k = 4); then both are
    gone. Boxes in a square are touched by nobody but its agent, so the order of decisions changes no outcome.

    **"hard".** Of each colour there is one box and one target. Targets are in squares, boxes on corners of
    squares, each on its own. An agent moves a box from a corner of its square to another one that is empty
    (k = 0, 1, 2, 3: north-west, north-east, south-west, south-east), or into the target in its square. Two
    boxes that come to the same corner in a step collide, and the episode has failed.

    An action that is not legal does nothing. Where several agents name the same box the first in the order
    of agents moves it, the others do nothing, whatever the order of decisions. A corner must have been empty
    before the step: the authors' code lets boxes go where another one leaves in the same step, though its
    own list of legal moves does not. There boxes may also be passed on within a step, in the order of
    replies; not here. Where the authors' code drops a box that finds no free corner around its square, a
    square is drawn that has one.

    | Observation | Numbers                                                                                |
    |-------------|----------------------------------------------------------------------------------------|
    | boxes       | of each colour in the own square and the four around (25), or on its four corners (20) |
    | targets     | of each colour in the own square and the four around (25)                              |
    | place       | row and column as shares of R and C (2)                                                |
    | way         | of each colour the offset of the nearest target, as shares of R and C (10)             |
    | left        | boxes of each colour (5)                                                               |
    | time        | share of the time limit that has passed                                                |

    Counts are shares of the most that there can be of a colour, 3 or 1.

    **Rewards.** With `reward="progress"` all get what share of the boxes was placed, half of what the boxes'
    ways to the nearest targets of their colours became shorter (in rows and columns, as a share of R + C and
    of the boxes), and -0.01; 1 when all are placed, -1 for a collision, in whose step no way counts. With
    `credit="own"` what was placed and became shorter is paid to who did it, whose ways are those to the
    targets before the step. With `reward="sparse"` all get the 1 and the -1 only. The task has no rewards in
    the papers, where language models plan; these are ours.

    **Metrics.** `success`, `collision`, `steps`, and `success_published`: the authors' code counts a task
    that is done in the last step as failed.

    **Episode end.** Terminates when all boxes are placed, or by a collision; truncates after 30 steps, or 40
    on more than 16 squares.

    **Neighbours.** Agents of adjacent squares; with "hard" diagonally as well.

    **Planners.** `GreedyPlayer` and `exact_plan` of `stmg_envs.transport` see everything and play for all.

    Args:
        variant: "easy" or "hard".
        rows: R.
        columns: C.
        reward: "progress" or "sparse".
        credit: "team" or "own": whether all are paid alike.
        max_steps: time limit; by the number of squares unless given.

    Raises:
        InvalidArgumentError: for an argument out of range, or a grid of one square.

    **Version history.** v0: first version.
    """

    def __init__(
        self,
        variant: Variant = "easy",
        rows: int = 2,
        columns: int = 2,
        reward: Reward = "progress",
        credit: Credit = "team",
        max_steps: int | None = None,
    ) -> None:
        require_choice("variant", variant, tuple(VARIANTS))
        require_count("rows", rows, 1, LARGEST)
        require_count("columns", columns, 1, LARGEST)
        require_choice("reward", reward, ("progress", "sparse"))
        require_choice("credit", credit, ("team", "own"))
        if rows * columns < 2:
            raise InvalidArgumentError(
                f"rows={rows} and columns={columns} make one square; expected two at least"
            )
        n = rows * columns
        if max_steps is None:
            max_steps = 30 if n < MANY else 40
        require_count("max_steps", max_steps, 1)
        make_board, self._scatter = VARIANTS[variant]
        self.board: Board = make_board(rows, columns)
        self.variant, self.reward, self.credit = variant, reward, credit
        self.max_steps: int = max_steps
        self.agents = tuple(f"agent_{row}_{column}" for row in range(rows) for column in range(columns))
        self.action_spaces = tuple(Discrete(ACTIONS) for _ in self.agents)
        seen, places = self.board.sees.shape[1], len(self.board.places)
        low = [0.0] * (5 * (seen + 5) + 2) + [-1.0] * 10 + [0.0] * 6
        self.observation_space = Box(np.array(low, np.float32), 1.0)
        self.state_space = Box(0.0, 1.0, (5 * (places + n) + 1,), np.float32)

    def reset(self, streams: Streams) -> State:
        board = self._on(streams.keys.device)
        boxes, targets = self._scatter(board, streams)
        nothing = torch.full((len(boxes), board.n), len(board.places), device=boxes.device)
        return {
            "boxes": boxes,
            "targets": targets,
            "count": boxes.sum(dim=(1, 2)),
            "clock": torch.zeros_like(streams.keys),
            "source": nothing,
            "destination": nothing,
            "placed": torch.zeros_like(nothing, dtype=torch.bool),
            "color": torch.zeros_like(nothing),
        }

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        board = self._on(actions.device)
        moves = made(board, state["boxes"], actions, self.action_mask(state))
        boxes, targets = applied(board, state["boxes"], state["targets"], moves)
        done = ~boxes.any(dim=(1, 2))
        collision = torch.zeros_like(done)
        if board.exclusive:
            collision = (boxes.sum(dim=1) > 1).any(dim=1)
        clock = state["clock"] + 1
        after: State = {
            "boxes": boxes,
            "targets": targets,
            "count": state["count"],
            "clock": clock,
            **vars(moves),
        }
        rewards = (done.float() - collision.float()).unsqueeze(1).expand(-1, board.n)
        if self.reward == "progress":
            progress = self._progress(board, state, after, moves, collision)
            rewards = rewards + progress / state["count"].unsqueeze(1) - TIME
        metrics = {
            "success": done.float(),
            "collision": collision.float(),
            "steps": clock.float(),
            "success_published": (done & (clock < self.max_steps)).float(),
        }
        return Outcome(after, rewards.contiguous(), done | collision, metrics)

    def _progress(self, board: Board, before: State, after: State, moves: Moves, collision: Tensor) -> Tensor:
        """Boxes placed, and half of what ways became shorter, (B, n)."""
        ways = nearest_ways(board, before["targets"])
        placed = moves.placed.float()
        if self.credit == "own":
            agents = ways.gather(1, moves.color.unsqueeze(2).expand(-1, -1, ways.shape[2]))
            nearer = (
                agents.gather(2, moves.source.unsqueeze(2)) - agents.gather(2, moves.destination.unsqueeze(2))
            ).squeeze(2)
        else:
            new = nearest_ways(board, after["targets"])
            left = (before["boxes"] * ways[..., :-1]).sum(dim=(1, 2))
            nearer = (left - (after["boxes"] * new[..., :-1]).sum(dim=(1, 2))).unsqueeze(1)
            placed = placed.sum(dim=1, keepdim=True)
        nearer = torch.where(collision.unsqueeze(1), 0.0, nearer)
        return placed + PROGRESS * nearer / (board.rows + board.columns)

    def observe(self, state: State) -> Tensor:
        boxes, targets = state["boxes"], state["targets"]
        board = self._on(boxes.device)
        batch, n = len(boxes), board.n
        counts = (
            pad(x, (0, 1))[:, :, where].permute(0, 2, 1, 3).flatten(2) / board.most
            for x, where in ((boxes, board.sees), (targets, board.beside))
        )
        far = float(board.rows + board.columns)
        ways = torch.where((targets > 0).unsqueeze(1), board.apart.unsqueeze(1), far)
        nearest = ways.argmin(dim=-1)
        squares = torch.arange(n, device=boxes.device).unsqueeze(1)
        offsets = board.offsets[squares, nearest] * (targets > 0).any(dim=-1)[:, None, :, None]
        place = torch.stack([squares // board.columns / board.rows, squares % board.columns / board.columns])
        left = boxes.sum(dim=2) / board.most
        shared = torch.cat([left, self._time(state)], dim=1)
        return torch.cat(
            [
                *counts,
                place.squeeze(-1).t().expand(batch, -1, -1),
                offsets.flatten(2),
                shared.unsqueeze(1).expand(-1, n, -1),
            ],
            dim=-1,
        )

    def global_state(self, state: State) -> Tensor:
        counts = torch.cat([state["boxes"].flatten(1), state["targets"].flatten(1)], dim=1)
        return torch.cat([counts / self.board.most, self._time(state)], dim=1)

    def action_mask(self, state: State) -> Tensor:
        return legal_actions(self._on(state["boxes"].device), state["boxes"], state["targets"])

    def neighbors(self, state: State) -> Tensor:
        board = self._on(state["boxes"].device)
        return board.neighbors.expand(len(state["boxes"]), -1, -1)

    def text(self) -> TransportText:
        return TransportText(self.board)

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        one = {name: x[0].cpu() for name, x in state.items()}
        board = self.board.on(torch.device("cpu"))
        if mode == "ansi":
            return write(board, one, self.max_steps)
        return draw(board, one, self.max_steps, priority or tuple(range(self.n)))

    def _time(self, state: State) -> Tensor:
        """Share of the time limit that has passed, (B, 1)."""
        return (state["clock"] / self.max_steps).clamp(max=1.0).unsqueeze(1)

    def _on(self, device: torch.device) -> Board:
        """The board with its tables on a device."""
        if self.board.takes.device != device:
            self.board = self.board.on(device)
        return self.board
