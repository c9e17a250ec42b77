"""What agents may do with boxes, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from stmg_envs.transport.board import COLORS, Board

TO_TARGET = 4
"""What an agent does with a box beside moving it to one of four places."""
CHOICES = 5
ACTIONS = 1 + len(COLORS) * CHOICES
"""Stay, then for each colour four places and its target."""


def legal_actions(board: Board, boxes: Tensor, targets: Tensor) -> Tensor:
    """What each agent may do, bool (B, n, 26), with boxes (B, 5, P) and targets (B, 5, n)."""
    mine = (boxes[:, :, board.takes] > 0).any(dim=-1).transpose(1, 2)
    room = board.leads < len(board.places)
    if board.exclusive:
        room = room & ~pad(boxes.any(dim=1), (0, 1))[:, board.leads]
    to_place = mine.unsqueeze(-1) & room.unsqueeze(-2)
    to_target = mine & (targets > 0).transpose(1, 2)
    moves = torch.cat([to_place, to_target.unsqueeze(-1)], dim=-1).flatten(2)
    return pad(moves, (1, 0), value=True)


@dataclass(frozen=True)
class Moves:
    """What agents did in a step.

    Attributes:
        color: of the box, int64 (B, n); anything for those who did nothing.
        source: the place it was taken from, int64 (B, n); P for those who did nothing.
        destination: the place it was put, int64 (B, n); P for a target, and for those who did nothing.
        placed: who put a box into a target, bool (B, n).
    """

    color: Tensor
    source: Tensor
    destination: Tensor
    placed: Tensor


def made(board: Board, boxes: Tensor, actions: Tensor, legal: Tensor) -> Moves:
    """Actions (B, n) as moves: of agents who name the same box the first moves it.

    Args:
        board: the board.
        boxes: of each colour in each place, (B, 5, P).
        actions: of all agents, (B, n).
        legal: which actions are, bool (B, n, 26); others do nothing.
    """
    nowhere = len(board.places)
    acts = (actions > 0) & legal.gather(2, actions.unsqueeze(2)).squeeze(2)
    chosen = (actions - 1).clamp(min=0)
    color, choice = chosen // CHOICES, chosen % CHOICES
    near = boxes[:, :, board.takes].gather(1, color[:, None, :, None].expand(-1, 1, -1, board.takes.shape[1]))
    source = board.takes.expand(len(boxes), -1, -1).gather(2, near.squeeze(1).argmax(dim=-1, keepdim=True))
    source = source.squeeze(-1)
    agents = torch.arange(board.n, device=actions.device).expand_as(actions)
    box = torch.where(acts, color * nowhere + source, len(COLORS) * nowhere)
    first = agents.new_full((len(boxes), len(COLORS) * nowhere + 1), board.n)
    acts = acts & (first.scatter_reduce(1, box, agents, "amin").gather(1, box) == agents)
    placed = acts & (choice == TO_TARGET)
    lead = board.leads.expand(len(boxes), -1, -1).gather(2, choice.clamp(max=3).unsqueeze(-1)).squeeze(-1)
    return Moves(
        color=color,
        source=torch.where(acts, source, nowhere),
        destination=torch.where(acts & ~placed, lead, nowhere),
        placed=placed,
    )


def applied(board: Board, boxes: Tensor, targets: Tensor, moves: Moves) -> tuple[Tensor, Tensor]:
    """Boxes (B, 5, P) and targets (B, 5, n) after moves, all made at once."""
    width = len(board.places) + 1
    counts = pad(boxes, (0, 1)).flatten(1)
    ones = torch.ones_like(moves.color)
    counts = counts.scatter_add(1, moves.color * width + moves.source, -ones)
    counts = counts.scatter_add(1, moves.color * width + moves.destination, ones)
    squares = torch.arange(board.n, device=boxes.device)
    filled = torch.zeros_like(targets).flatten(1)
    filled = filled.scatter_add(1, moves.color * board.n + squares, moves.placed.long())
    return counts.unflatten(1, (len(COLORS), width))[..., :-1], targets - filled.view_as(targets)


def nearest_ways(board: Board, targets: Tensor) -> Tensor:
    """From each place the way to the nearest target of each colour, (B, 5, P + 1); 0 from nowhere."""
    far = float(board.rows + board.columns)
    ways = torch.where((targets > 0).unsqueeze(2), board.ways, far).min(dim=-1).values
    return pad(ways, (0, 1))
