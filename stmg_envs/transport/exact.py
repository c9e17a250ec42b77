"""Plans for grid transport that take as few timesteps as any: an integer program over squares and time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp
from scipy.sparse import coo_array

from stmg_envs.transport.board import COLORS, Board, corner_moves
from stmg_envs.transport.moves import CHOICES, TO_TARGET

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Edges:
    """All ways in which one agent can move one box, E of them.

    Attributes:
        agent: whose, (E,).
        source: place, (E,).
        destination: place, (E,); P for a target.
        choice: the part of the action that says where to, (E,).
    """

    agent: Counts
    source: Counts
    destination: Counts
    choice: Counts


def edges_of(board: Board) -> Edges:
    """The edges of a board."""
    nowhere = len(board.places)
    rows = [
        (agent, source, destination, choice)
        for agent, (sources, leads) in enumerate(zip(board.takes.tolist(), board.leads.tolist(), strict=True))
        for source in sources
        for choice, destination in enumerate([*leads, nowhere])
        if choice == TO_TARGET or destination not in (source, nowhere)
    ]
    return Edges(*np.array(rows).T)


def exact_plan(board: Board, boxes: Counts, targets: Counts) -> Counts:
    """A shortest plan.

    Which boxes of a colour go where is a flow in a network of places and timesteps, one for each colour, in
    which an agent moves one box in a timestep. With growing length, from a bound on, the first network in
    which all boxes come to targets has the shortest plan. What is found is a fact about the task: no
    planner and no language model needs fewer timesteps.

    Args:
        board: the board.
        boxes: of each colour in each place, (5, P).
        targets: of each colour in each square, (5, n).

    Returns:
        Joint actions, (T, n).
    """
    board = board.on(torch.device("cpu"))
    edges = edges_of(board)
    for length in itertools.count(_bound(board, boxes, targets)):
        flows = _flows(board, edges, boxes, targets, length)
        if flows is not None:
            return _actions(board, edges, flows)
    raise AssertionError("a longer network always comes")


def _bound(board: Board, boxes: Counts, targets: Counts) -> int:
    """A number of timesteps that every plan takes."""
    ways = board.ways.numpy()
    if board.exclusive:
        ways = corner_moves(board).numpy()
    moves, longest = int(boxes.sum()), 0.0
    for here, there in zip(boxes, targets, strict=True):
        sources, goals = (np.repeat(np.arange(len(counts)), counts) for counts in (here, there))
        costs = ways[np.ix_(sources, goals)]
        moves += int(costs[linear_sum_assignment(costs)].sum())
        longest = max(longest, *costs.min(axis=1, initial=np.inf)) if len(sources) else longest
    return max(-(-moves // board.n), int(longest) + 1) if moves else 0


def _flows(board: Board, edges: Edges, boxes: Counts, targets: Counts, length: int) -> Counts | None:
    """What goes along each edge, (T, 5, E), in a plan of a length; None if there is none.

    Variables are flows, (T, 5, E), and then stocks before every timestep and at the end, (T + 1, 5, P).
    """
    colors, places, count = len(COLORS), len(board.places), len(edges.agent)
    flow = np.arange(length * colors * count).reshape(length, colors, count)
    stock = flow.size + np.arange((length + 1) * colors * places).reshape(length + 1, colors, places)
    rows: list[NDArray[np.int64]] = []
    variables: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float64]] = []
    limits: list[tuple[float, float]] = []

    def require(terms: list[tuple[NDArray[np.int64], float]], low: float, high: float) -> None:
        """One constraint on a weighted sum of variables."""
        for which, weight in terms:
            rows.append(np.full(which.size, len(limits)))
            variables.append(which.ravel())
            weights.append(np.full(which.size, weight))
        limits.append((low, high))

    leaving = [np.flatnonzero(edges.source == place) for place in range(places)]
    arriving = [np.flatnonzero(edges.destination == place) for place in range(places)]
    acting = [np.flatnonzero(edges.agent == agent) for agent in range(board.n)]
    placing = [np.flatnonzero((edges.agent == a) & (edges.choice == TO_TARGET)) for a in range(board.n)]
    for time, color, place in itertools.product(range(length), range(colors), range(places)):
        before, after = stock[time, color, place], stock[time + 1, color, place]
        out, into = flow[time, color, leaving[place]], flow[time, color, arriving[place]]
        require([(after, 1.0), (before, -1.0), (out, 1.0), (into, -1.0)], 0, 0)
        # What arrives in a timestep goes on in the next one.
        require([(before, 1.0), (out, -1.0)], 0, np.inf)
    for time in range(length):
        for agent in range(board.n):
            require([(flow[time][:, acting[agent]], 1.0)], 0, 1)
        for place in range(places) if board.exclusive else ():
            require([(flow[time][:, arriving[place]], 1.0), (stock[time, :, place], 1.0)], 0, 1)
    for color, agent in itertools.product(range(colors), range(board.n)):
        wanted = int(targets[color, agent])
        require([(flow[:, color, placing[agent]], 1.0)], wanted, wanted)
    total = flow.size + stock.size
    matrix = coo_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(variables))), (len(limits), total)
    )
    least, most = np.zeros(total), np.full(total, float(boxes.sum()))
    least[stock[0]] = most[stock[0]] = boxes
    most[stock[-1]] = 0.0
    found = milp(
        np.zeros(total),
        integrality=np.arange(total) < flow.size,
        bounds=Bounds(least, most),
        constraints=LinearConstraint(matrix.tocsr(), *np.array(limits).T),
    )
    return None if found.x is None else np.rint(found.x[flow]).astype(np.int64)


def _actions(board: Board, edges: Edges, flows: Counts) -> Counts:
    """Flows (T, 5, E) as joint actions (T, n)."""
    actions = np.zeros((len(flows), board.n), np.int64)
    for time, color, edge in np.argwhere(flows > 0):
        actions[time, edges.agent[edge]] = 1 + color * CHOICES + edges.choice[edge]
    return actions
