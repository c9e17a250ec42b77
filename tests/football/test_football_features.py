"""What agents see: a moment by hand, and gfootball's own conversion in real play."""

from __future__ import annotations

import numpy as np
import pytest
from gfootball.env.wrappers import Simple115StateWrapper
from moments import moment, on, player

from stmg_envs.football.features import compact, match_state, simple115v2
from stmg_envs.football.neighbors import k_nearest, within
from stmg_envs.football.snapshot import LEFT, RIGHT, Snapshot


def test_compact_by_hand() -> None:
    seen = compact(moment(owner_team=LEFT, owner_player=1))
    assert seen.shape == (2, 122) and seen.dtype == np.float32
    first, second = seen
    assert first[:6] == pytest.approx([0.5, 0.25, 1, -0.5, np.hypot(1, 0.5), 0.25])
    assert first[6:10].tolist() == [1, -1, 1, 0]
    assert first[10:16] == pytest.approx([0.53, 0.29, 0.125, 0.03, 0.04, 0.05])
    assert first[16:19] == pytest.approx([0.4, -0.2, 0.5])
    assert first[19:24].tolist() == [0, 1, 0, 1, 1]
    assert first[24:29] == pytest.approx([0.25, -0.375, 0, 0, np.hypot(0.25, 0.375)])
    assert first[29:34] == pytest.approx([0.125, 0, 0, 0, 0.125])
    assert first[34:46] == pytest.approx([-1.5, -0.25, 0, 0, 0, 0, 0, 0, 0.25, -0.375, 0, 0])
    assert first[78:86] == pytest.approx([0.5, -0.25, 0, 0.1, 0.125, 0, 0, 0])
    assert not first[46:78].any() and not first[86:].any()

    assert second[:6] == pytest.approx([0.75, -0.125, 0, 0, 0, 0.25])
    assert second[6:10].tolist() == [0, 0, 0, 0]
    assert second[19:24].tolist() == [0, 1, 0, 0, 1]
    assert second[24:29] == pytest.approx([-0.25, 0.375, 1, -0.5, np.hypot(0.25, 0.375)])
    assert second[29:34] == pytest.approx([0.25, 0.125, 0, 0.1, np.hypot(0.25, 0.125)])


def test_who_is_sent_off_is_not_seen() -> None:
    seen = compact(moment(right=[player(1, 0), player(0.625, 0.25, active=False)]))
    assert seen[0, 29:34] == pytest.approx([0.5, -0.25, 0, 0, np.hypot(0.5, 0.25)])
    assert not seen[:, 82:].any()
    nobody = compact(moment(right=[player(1, 0, active=False)]))
    assert not nobody[:, 29:34].any() and not nobody[:, 78:].any()


def test_set_pieces_owners_and_agents_without_a_player() -> None:
    seen = compact(moment(owner_team=RIGHT, owner_player=1, mode=3, moved=[1, -1]))
    assert seen[0, 19:24].tolist() == [0, 0, 1, 0, 0]
    assert not seen[1].any()
    assert simple115v2(moment(moved=[1, -1]))[1, 97:108].tolist() == [0] * 11


def as_gfootball_has_it(snapshot: Snapshot) -> list[dict[str, object]]:
    common = {
        **{
            f"{side}_team{part}": np.array([own[columns] for own in team])
            for side, team in (("left", snapshot.left), ("right", snapshot.right))
            for part, columns in (("", slice(0, 2)), ("_direction", slice(2, 4)))
        },
        "ball": np.array(snapshot.ball),
        "ball_direction": np.array(snapshot.ball_direction),
        "ball_owned_team": snapshot.owner_team,
        "game_mode": snapshot.mode,
    }
    return [{**common, "active": own} for own in snapshot.moved]


@pytest.mark.parametrize(
    "changes", [{}, {"owner_team": LEFT, "mode": 4}, {"owner_team": RIGHT, "moved": [2]}]
)
def test_simple115v2_is_gfootballs(changes: dict[str, object]) -> None:
    snapshot = moment(**changes)
    snapshot = snapshot._replace(sticky=[on()] * len(snapshot.moved))
    theirs = Simple115StateWrapper.convert_observation(as_gfootball_has_it(snapshot), True)
    np.testing.assert_array_equal(simple115v2(snapshot), theirs)
    np.testing.assert_array_equal(match_state(snapshot), np.delete(theirs[0], slice(97, 108)))


def test_neighbours_by_hand() -> None:
    # In metres: 0 at (0, 0), 1 ten metres on, 2 another 20, 3 far across.
    line = [player(0, 0), player(10 / 54.4, 0), player(30 / 54.4, 0), player(0, -50 / 83.6)]
    snapshot = moment(left=line, moved=[0, 1, 2, 3], sticky=[on()] * 4)

    def pairs(graph: np.ndarray) -> set[tuple[int, int]]:
        assert np.array_equal(graph, graph.T) and not graph.diagonal().any()
        return {(i, j) for i, j in np.argwhere(graph).tolist() if i < j}

    assert pairs(k_nearest(snapshot, 1)) == {(0, 1), (1, 2), (0, 3)}
    assert len(pairs(k_nearest(snapshot, 3))) == len(pairs(k_nearest(snapshot, 9))) == 6
    assert pairs(within(snapshot, 15)) == {(0, 1)}
    assert pairs(within(snapshot, 25)) == {(0, 1), (1, 2)}
    assert not k_nearest(snapshot._replace(moved=[1]), 2).any()
