"""What a picture of a stage shows: payoffs, equilibria and optima, before any drawing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from stmg_envs.equilibria import Stackelberg, StageSolution, StageTable, solve_stages
from stmg_envs.equilibria.one_shot import JointAction, check_order
from stmg_envs.errors import InvalidArgumentError

if TYPE_CHECKING:
    from stmg_envs.matrix.stage_game import StageGame

Scope = Literal["game", "rest", "stage"]

MOST_CELLS, MOST_COLUMNS = 400, 20
"""Larger games are shown as a list of their notable joint actions."""

# Weak keys: a game that is no longer used takes its solutions along.
_SOLUTIONS: WeakKeyDictionary[StageGame, dict[tuple[int, ...], StageSolution]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Marks:
    """What is worth marking in the payoff table of one stage.

    Attributes:
        payoffs: paid at this stage, float64 (n, A1, ..., An).
        values: what the marks compare, float64 (n, A1, ..., An): the payoffs, and with scope "rest"
            also what equilibrium play of the later stages adds.
        order: agent indices, leader first.
        stackelberg: the Stackelberg equilibrium of `values`, with its ties.
        nash: pure Nash equilibria of `values`, in lexicographic order.
        optima: joint actions with the largest sum of `values`, in lexicographic order.
        scope: "game" if nothing follows this or any stage, "rest" if equilibrium play of the later
            stages counts, "stage" if the stage is judged as if played once.
    """

    payoffs: NDArray[np.float64]
    values: NDArray[np.float64]
    order: tuple[int, ...]
    stackelberg: Stackelberg
    nash: tuple[JointAction, ...]
    optima: tuple[JointAction, ...]
    scope: Scope

    def tags(self, joint_action: JointAction) -> tuple[str, ...]:
        """The marks of a joint action, out of "NE", "SE" and "OPT" in this order."""
        marked = {
            "NE": joint_action in self.nash,
            "SE": joint_action == self.stackelberg.actions,
            "OPT": joint_action in self.optima,
        }
        return tuple(tag for tag, holds in marked.items() if holds)


def table_marks(game: StageGame, stage: int, priority: tuple[int, ...] | None = None) -> Marks:
    """Solve a stage: its Nash and Stackelberg equilibria and its optima.

    In games whose stages lead to later stages only, equilibrium play of the later stages counts;
    the stages of other games, such as repeated ones, are judged as if played once. A game is solved
    once per priority, however many of its stages are asked for.

    Args:
        game: the game.
        stage: index of the stage.
        priority: agent indices, leader first; identity by default.

    Raises:
        InvalidArgumentError: if the game has no such stage.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    table = game.table
    if not 0 <= stage < table.stages:
        raise InvalidArgumentError(f"stage={stage} does not exist; expected 0..{table.stages - 1}")
    order = check_order(table.n, priority)
    scope = _scope(table)
    solutions = _SOLUTIONS.setdefault(game, {})
    if order not in solutions:
        if scope == "stage":
            table = StageTable(table.payoffs, np.full_like(table.successors, -1))
        solutions[order] = solve_stages(table, order)
    solution = solutions[order]
    nash, optima = tuple(solution.nash(stage)), tuple(solution.optima(stage))
    values = solution.continuations[stage]
    return Marks(table.payoffs[stage], values, order, solution.stages[stage], nash, optima, scope)


def _scope(table: StageTable) -> Scope:
    if (table.successors == -1).all():
        return "game"
    try:
        table.check_acyclic()
    except InvalidArgumentError:
        return "stage"
    return "rest"


@dataclass(frozen=True)
class Cell:
    """An entry of a panel: its text, the tags of its joint action, and whether that was chosen."""

    text: str
    tags: tuple[str, ...] = ()
    chosen: bool = False


@dataclass(frozen=True)
class Panel:
    """A table with names of its rows and columns; `cells` are in rows."""

    caption: str
    row_title: str
    column_title: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Sheet:
    """Everything a picture shows, be it of characters or of pixels.

    Attributes:
        lines: title first.
        panels: from top to bottom, all of one shape.
        legend: pairs of a mark ("chosen" or a tag) and its meaning.
        note: what the tags refer to, or empty.
        widest: the widest text of a cell at any stage, so that all pictures of a game have one size.
        listing: whether the panel lists joint actions in words instead of marking its cells.
    """

    lines: tuple[str, ...]
    panels: tuple[Panel, ...]
    legend: tuple[tuple[str, str], ...]
    note: str
    widest: str
    listing: bool


def lay_out(
    game: StageGame, stage: int, chosen: JointAction | None, priority: tuple[int, ...] | None
) -> Sheet:
    """Arrange a stage as tables, or as a list of notable joint actions if it is too large.

    Args:
        game: the game.
        stage: index of the stage.
        chosen: the joint action to highlight, if any.
        priority: agent indices, leader first; identity by default.
    """
    marks = table_marks(game, stage, priority)
    counts = game.action_counts
    listing = int(np.prod(counts)) > MOST_CELLS or counts[min(1, game.n - 1)] > MOST_COLUMNS
    title = type(game).__name__ + (f", stage {stage}" if game.table.stages > 1 else "")
    leaders = "leader first: " + ", ".join(game.agents[agent] for agent in marks.order)
    legend = (
        ("NE", "pure Nash equilibrium"),
        ("SE", "Stackelberg equilibrium"),
        ("OPT", "largest sum of payoffs"),
    )
    note = {
        "game": "",
        "rest": "Marks assume Stackelberg play in later stages.",
        "stage": "Marks are those of this table played once.",
    }[marks.scope]
    if listing:
        name = max((name for names in game.action_names for name in names), key=len)
        panel = _list(game, marks, chosen)
        return Sheet((title, leaders), (panel,), legend, note, f"{name}: -1.23457e+10", True)
    # A property of the game, not of the stage, so that entries read the same at all stages.
    common = bool((game.table.payoffs == game.table.payoffs[:, :1]).all())
    number = max(map(compact, np.unique(game.table.payoffs)), key=len)
    widest = number if common else ", ".join([number] * game.n)
    entries = "the same for all" if common and game.n > 1 else ", ".join(game.agents)
    lines = (title, f"payoffs: {entries}", leaders)
    panels = tuple(_panels(game, marks, chosen, common))
    return Sheet(lines, panels, (("chosen", "last joint action"), *legend), note, widest, False)


def compact(value: float) -> str:
    """A payoff in few characters: whole numbers in full, others with six digits."""
    # Adding zero turns -0.0 into 0.0.
    return f"{value + 0.0:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.6g}"


def _panels(game: StageGame, marks: Marks, chosen: JointAction | None, common: bool) -> list[Panel]:
    agents, names = game.agents, game.action_names
    shown = 1 if common else game.n
    payoffs = np.moveaxis(marks.payoffs, 0, -1)

    def cell(joint: JointAction) -> Cell:
        text = ", ".join(map(compact, payoffs[joint][:shown]))
        return Cell(text, marks.tags(joint), joint == chosen)

    if game.n == 1:
        row = tuple(cell((action,)) for action in range(len(names[0])))
        return [Panel("", "", agents[0], ("payoff",), names[0], (row,))]
    panels = []
    for others in product(*map(range, game.action_counts[2:])):
        caption = ", ".join(f"{agents[2 + i]}: {names[2 + i][action]}" for i, action in enumerate(others))
        rows, columns = range(len(names[0])), range(len(names[1]))
        cells = tuple(tuple(cell((row, column, *others)) for column in columns) for row in rows)
        panels.append(Panel(caption, agents[0], agents[1], names[0], names[1], cells))
    return panels


def _list(game: StageGame, marks: Marks, chosen: JointAction | None) -> Panel:
    columns: list[tuple[str, ...]] = []
    for joint in (chosen, marks.stackelberg.actions, marks.optima[0]):
        if joint is None:
            columns.append(("-",) * (game.n + 1))
            continue
        payoffs = np.moveaxis(marks.payoffs, 0, -1)[joint]
        names = (game.action_names[agent][action] for agent, action in enumerate(joint))
        entries = (f"{name}: {compact(payoff)}" for name, payoff in zip(names, payoffs, strict=True))
        columns.append((*entries, " ".join(marks.tags(joint)) or "-"))
    cells = tuple(tuple(map(Cell, row)) for row in zip(*columns, strict=True))
    return Panel("", "action: payoff", "", (*game.agents, "marks"), ("last joint action", "SE", "OPT"), cells)
