"""How boxes and targets lie at the beginning."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.protocol import Streams
from stmg_envs.transport.board import COLORS, Board

Lying = tuple[Tensor, Tensor]
"""Boxes of each colour in each place, int64 (B, 5, P), and targets in each square, int64 (B, 5, n)."""


def scatter_stacks(board: Board, streams: Streams) -> Lying:
    """One to three boxes of each colour and as many targets, each in a square of its own choice."""
    count = _below(streams.uniform(len(COLORS)), board.most) + 1
    there = torch.arange(board.most, device=count.device) < count.unsqueeze(-1)
    squares = _below(streams.uniform(2, len(COLORS), board.most), board.n)
    boxes, targets = (_one_hot(squares, board.n) * there[:, None, ..., None]).sum(dim=3).unbind(dim=1)
    return boxes, targets


def scatter_singles(board: Board, streams: Streams) -> Lying:
    """A target of each colour in some square; a box of each on a free corner of some square that has one."""
    device = streams.keys.device
    targets = _one_hot(_below(streams.uniform(len(COLORS)), board.n), board.n)
    places = len(board.places)
    free = torch.ones(len(streams.keys), places, dtype=torch.bool, device=device)
    boxes = []
    for drawn in streams.uniform(len(COLORS), board.n + 4).unbind(dim=1):
        corners = free[:, board.takes]
        square = drawn[:, : board.n].masked_fill(~corners.any(dim=-1), 0.0).argmax(dim=1)
        at = torch.arange(len(square), device=device)
        corner = drawn[:, board.n :].masked_fill(~corners[at, square], 0.0).argmax(dim=1)
        box = _one_hot(board.takes[square, corner], places)
        free = free & (box == 0)
        boxes.append(box)
    return torch.stack(boxes, dim=1), targets


def _below(uniform: Tensor, bound: int) -> Tensor:
    """Numbers on (0, 1) as integers below a bound."""
    return (uniform * bound).long().clamp(max=bound - 1)


def _one_hot(index: Tensor, size: int) -> Tensor:
    """A 1 among zeros for each index, int64 (..., size); torch's own looks at them first."""
    return (index.unsqueeze(-1) == torch.arange(size, device=index.device)).long()
