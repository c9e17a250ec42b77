"""What the trained policies of a matrix game play: shares in its payoff tables, and distinct plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np

from baselines.evaluation.numbers import compact
from baselines.evaluation.report_inputs import Play
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.matrix import StageGame, table_marks

MOST_CELLS, MOST_COLUMNS, MOST_STAGES = 400, 20, 4
"""Larger tables, and the stages of fewer plays, are left to the list of plays."""

JointAction = tuple[int, ...]
JointPlay = tuple[JointAction, ...]


@dataclass(frozen=True)
class ShareCell:
    """A joint action: its payoffs, its marks ("NE", "SE", "OPT"), and the runs that play it."""

    payoffs: str
    tags: tuple[str, ...]
    runs: int
    share: float


@dataclass(frozen=True)
class ShareTable:
    """Two agents' actions against each other, the others' fixed; `cells` are in rows."""

    caption: str
    row_title: str
    column_title: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    cells: tuple[tuple[ShareCell, ...], ...]


@dataclass(frozen=True)
class StageShares:
    """Where plays end: a stage, and what they do there.

    Attributes:
        stage: index of the stage.
        steps: number of timesteps of the plays that end here, each number once.
        runs: number of those plays.
        entries: whose payoffs the cells list.
        note: what the marks take into account, or empty.
        tables: one per combination of actions of the third and later agents.
    """

    stage: int
    steps: tuple[int, ...]
    runs: int
    entries: str
    note: str
    tables: tuple[ShareTable, ...]


@dataclass(frozen=True)
class DistinctPlay:
    """A whole greedy play, the runs that play it, and each agent's return."""

    text: str
    runs: int
    share: float
    returns: tuple[float, ...]


def joint_plays(game: StageGame, plays: Sequence[Play]) -> list[JointPlay]:
    """Plays as joint actions.

    Raises:
        InvalidArgumentError: if a play is none of this game.
    """
    result = []
    for play in plays:
        joints = []
        for actions in play.actions:
            numbers = [action for action in actions if isinstance(action, float) and action.is_integer()]
            joint = tuple(map(int, numbers))
            if len(actions) != game.n or len(joint) != game.n or not _legal(joint, game.action_counts):
                raise InvalidArgumentError(
                    f"actions={actions} in plays.json is no joint action of {type(game).__name__}; expected "
                    f"{game.n} actions below {game.action_counts}; evaluate the run again"
                )
            joints.append(joint)
        if not joints or len(play.returns) != game.n:
            raise InvalidArgumentError(f"plays.json holds {play}, which is no play of {type(game).__name__}")
        result.append(tuple(joints))
    return result


def stage_shares(game: StageGame, plays: Sequence[Play], priority: tuple[int, ...]) -> list[StageShares]:
    """The stages at which plays end, most frequent first, with the share of all runs in each cell.

    Args:
        game: the game.
        plays: one per run, (K,).
        priority: agent indices, leader first, for the marks.

    Returns:
        At most `MOST_STAGES` stages; none if the tables would be too large to read.
    """
    counts = game.action_counts
    if int(np.prod(counts)) > MOST_CELLS or counts[min(1, game.n - 1)] > MOST_COLUMNS:
        return []
    joints = joint_plays(game, plays)
    ends = [_last_stage(game, play) for play in joints]
    order = sorted(Counter(ends).items(), key=lambda item: (-item[1], item[0]))
    shares = []
    for stage, runs in order[:MOST_STAGES]:
        here = [play for play, end in zip(joints, ends, strict=True) if end == stage]
        steps = tuple(sorted({len(play) for play in here}))
        played = Counter(play[-1] for play in here)
        shares.append(_stage(game, stage, steps, runs, played, len(plays), priority))
    return shares


def distinct_plays(game: StageGame, plays: Sequence[Play]) -> list[DistinctPlay]:
    """The different plays, most frequent first."""
    joints = joint_plays(game, plays)
    keys = [(play, tuple(record.returns)) for play, record in zip(joints, plays, strict=True)]
    order = sorted(Counter(keys).items(), key=lambda item: (-item[1], item[0]))
    return [
        DistinctPlay(_words(game, play), runs, runs / len(plays), returns) for (play, returns), runs in order
    ]


def _legal(joint: JointAction, counts: tuple[int, ...]) -> bool:
    return all(0 <= action < count for action, count in zip(joint, counts, strict=True))


def _last_stage(game: StageGame, play: JointPlay) -> int:
    stage = 0
    for joint in play[:-1]:
        stage = int(game.table.successors[(stage, *joint)])
        if stage < 0:
            raise InvalidArgumentError(
                f"plays.json holds a play of {len(play)} timesteps that ends the game earlier; evaluate the "
                f"run again"
            )
    return stage


def _stage(
    game: StageGame,
    stage: int,
    steps: tuple[int, ...],
    runs: int,
    played: Counter[JointAction],
    total: int,
    priority: tuple[int, ...],
) -> StageShares:
    marks = table_marks(game, stage, priority)
    payoffs = np.moveaxis(marks.payoffs, 0, -1)
    common = bool((payoffs == payoffs[..., :1]).all())
    note = {
        "game": "",
        "rest": "Marks assume Stackelberg play in later stages.",
        "stage": "Marks are those of this table played once.",
    }[marks.scope]

    def cell(joint: JointAction) -> ShareCell:
        text = ", ".join(map(compact, payoffs[joint][: 1 if common else game.n]))
        return ShareCell(text, marks.tags(joint), played[joint], played[joint] / total)

    agents, names = game.agents, game.action_names
    if game.n == 1:
        row = tuple(cell((action,)) for action in range(len(names[0])))
        tables = [ShareTable("", "", agents[0], ("payoff",), names[0], (row,))]
    else:
        tables = []
        for others in product(*map(range, game.action_counts[2:])):
            caption = ", ".join(f"{agents[2 + i]}: {names[2 + i][action]}" for i, action in enumerate(others))
            cells = tuple(
                tuple(cell((row, column, *others)) for column in range(len(names[1])))
                for row in range(len(names[0]))
            )
            tables.append(ShareTable(caption, agents[0], agents[1], names[0], names[1], cells))
    entries = "the same for all" if common and game.n > 1 else ", ".join(agents)
    return StageShares(stage, steps, runs, entries, note, tuple(tables))


def _words(game: StageGame, play: JointPlay) -> str:
    """A play by the names of its actions, joint actions in a row counted."""
    parts = []
    for joint, group in groupby(play):
        names = ", ".join(game.action_names[agent][action] for agent, action in enumerate(joint))
        repeats = len(list(group))
        parts.append(f"({names})" + (f" \N{MULTIPLICATION SIGN} {repeats}" if repeats > 1 else ""))
    return ", ".join(parts)
