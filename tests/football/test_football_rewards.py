"""Every term of the reward by hand, and every rule of the masks."""

from __future__ import annotations

import pytest
from moments import moment, on, player

from stmg_envs.football.action_mask import action_masks
from stmg_envs.football.match import ACTIONS
from stmg_envs.football.rewards import scoring, shaped, zone
from stmg_envs.football.snapshot import LEFT, RIGHT


@pytest.mark.parametrize(
    ("x", "y", "value"),
    [
        (0.2, 0, 0),
        (-0.1, 0.3, 0),
        (0.21, 0.4, 1),
        (0.64, 0, 1),
        (0.65, 0.26, 2),
        (0.65, -0.28, 1),
        (1.0, 0, 2),
        (1.01, 0, 0),
        (0.5, 0.43, 0),
        (-0.3, 0, -1),
        (-0.7, 0.1, -2),
        (-0.7, 0.3, -1),
    ],
)
def test_zones(x: float, y: float, value: int) -> None:
    assert zone(x, y) == value


def test_goals() -> None:
    before, ours, theirs = (moment(score=score) for score in ((1, 1), (2, 1), (1, 2)))
    assert [scoring(before, after, False) for after in (before, ours, theirs)] == [0, 1, -1]


@pytest.mark.parametrize(
    ("after", "over", "reward"),
    [
        ({"owner_team": LEFT}, False, 0.003),
        ({"owner_team": LEFT, "ball": (-0.9, 0.1, 0)}, False, -0.006),
        # Our nearest, at (0.5, 0.25), is 0.05 away from the ball.
        ({}, False, 0.003 - 0.003 * 0.05),
        ({"owner_team": RIGHT}, False, 0.003 - 0.003 * 0.05),
        ({"owner_team": LEFT, "score": (1, 0)}, False, 5.003),
        ({"owner_team": LEFT, "score": (1, 0)}, True, 10.003),
        ({"owner_team": LEFT, "score": (0, 1)}, True, -4.997),
        ({"owner_team": LEFT}, True, 0.003),
        ({"owner_team": LEFT, "right": [player(1, 0, yellow_card=True)]}, False, 1.003),
        ({"owner_team": LEFT, "left": [player(1, 0, yellow_card=True)] * 2}, False, -1.997),
    ],
)
def test_shaped_terms(after: dict[str, object], over: bool, reward: float) -> None:
    assert shaped(moment(), moment(**after), over) == pytest.approx(reward)


def test_a_win_needs_no_goal_in_the_last_step() -> None:
    before = moment(score=(2, 1), owner_team=LEFT)
    assert shaped(before, before, True) == pytest.approx(5.003)


def test_who_is_sent_off_is_not_near() -> None:
    left = [player(0.5, 0.25, active=False), player(0.53, 0.69)]
    assert shaped(moment(), moment(left=left), False) == pytest.approx(0.003 - 0.003 * 0.4)


# --- masks ---

MOVES = set(ACTIONS[:9])
KICKS = {"long_pass", "high_pass", "short_pass"}


def allowed(**changes: object) -> list[set[str]]:
    masks = action_masks(moment(**changes))
    return [{name for name, legal in zip(ACTIONS, mask.tolist(), strict=True) if legal} for mask in masks]


def test_masks_of_a_free_ball() -> None:
    # The ball lies just out of reach of the first agent, who sprints to the top right.
    assert allowed(ball=(0.53, 0.3, 0)) == [
        MOVES | {"release_direction", "release_sprint"},
        MOVES | {"sprint"},
    ]
    near = MOVES | KICKS | {"shot", "sliding", "dribble", "release_direction", "release_sprint"}
    assert allowed(ball=(0.52, 0.27, 0))[0] == near


def test_masks_by_owner() -> None:
    here = {"ball": (0.52, 0.27, 0.0), "sticky": [on(), on()]}
    assert allowed(**here, owner_team=LEFT)[0] == MOVES | KICKS | {"shot", "sprint", "dribble"}
    assert allowed(**here, owner_team=RIGHT)[0] == MOVES | {"sliding", "sprint"}


def test_masks_of_what_is_on() -> None:
    here = {"ball": (-0.5, 0, 0.0), "left": [player(-0.5, 0)] * 2, "moved": [0, 1], "owner_team": LEFT}
    dribbles, runs = allowed(**here, sticky=[on("dribble"), on("left")])
    # In our own half nobody shoots.
    assert dribbles == MOVES | KICKS | {"sprint", "release_dribble"}
    assert runs == MOVES | KICKS | {"sprint", "dribble", "release_direction"}
