"""Our match beside gfootball's own environment, and the same match again from the same seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from games import assert_same
from gfootball.env.config import Config
from gfootball.env.football_env import FootballEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from stmg_envs.football.match import ACTIONS, PATIENCE, Match
from stmg_envs.football.scenarios import SCENARIOS, configure, count_agents
from stmg_envs.football.snapshot import NORMAL, Snapshot

ACADEMY = {
    "academy_pass_and_shoot_with_keeper": 2,
    "academy_3_vs_1_with_keeper": 3,
    "academy_counterattack_easy": 4,
}


def assert_as_gfootball_tells(snapshot: Snapshot, told: list[dict[str, object]]) -> None:
    for side, team in (("left", snapshot.left), ("right", snapshot.right)):
        table = np.array(team)
        for name, columns in (
            ("", slice(0, 2)),
            ("_direction", slice(2, 4)),
            ("_tired_factor", 4),
            ("_yellow_card", 5),
            ("_active", 6),
        ):
            np.testing.assert_array_equal(table[:, columns], told[0][f"{side}_team{name}"])
    assert list(snapshot.ball) == list(told[0]["ball"])
    assert list(snapshot.ball_direction) == list(told[0]["ball_direction"])
    assert snapshot.owner_team == told[0]["ball_owned_team"]
    assert snapshot.owner_player == told[0]["ball_owned_player"]
    assert snapshot.mode == told[0]["game_mode"]
    assert list(snapshot.score) == told[0]["score"]
    assert snapshot.moved == [own["active"] for own in told]
    assert snapshot.sticky == [[bool(on) for on in own["sticky_actions"]] for own in told]


def assert_same_play(scenario: str, seed: int, choose: Callable[[], int], steps: int) -> int:
    """Play a match of ours and of gfootball; for how many steps at a time it was interrupted at most."""
    agents = count_agents(scenario, None)
    # Resetting counts episodes, and with them who kicks off.
    values = {"level": scenario, "players": [f"agent:left_players={agents}"], "episode_number": seed - 1}
    theirs = FootballEnv(Config({**values, "game_engine_random_seed": seed}))
    ours = Match(scenario, agents)
    told, snapshot = theirs.reset(), ours.start(seed)
    assert_as_gfootball_tells(snapshot, told)
    waited = longest = 0
    for _ in range(steps):
        actions = [choose() for _ in range(agents)]
        told, _, done, _ = theirs.step(actions)
        snapshot = ours.play(actions)
        assert_as_gfootball_tells(snapshot, told)
        assert ours.over == done
        waited = 0 if snapshot.mode == NORMAL else waited + 1
        longest = max(longest, waited)
        if done:
            break
    theirs.close()
    return longest


@pytest.mark.parametrize(
    ("scenario", "seed"),
    [
        ("academy_pass_and_shoot_with_keeper", 0),
        ("academy_pass_and_shoot_with_keeper", 1),
        ("academy_3_vs_1_with_keeper", 0),
        ("academy_3_vs_1_with_keeper", 1),
        ("academy_counterattack_easy", 1),
    ],
)
def test_matches_are_gfootballs(scenario: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert_same_play(scenario, seed, lambda: int(rng.integers(len(ACTIONS))), 120)


def test_a_set_piece_that_nobody_takes_is_gfootballs() -> None:
    assert assert_same_play("5_vs_5", 0, lambda: 0, 70) > PATIENCE


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=2)
def test_a_seed_is_a_match(seed: int) -> None:
    def play(match: Match) -> list[Snapshot]:
        rng = np.random.default_rng(seed)
        snapshots = [match.start(seed)]
        while not match.over and len(snapshots) < 60:
            snapshots.append(match.play(rng.integers(len(ACTIONS), size=2).tolist()))
        return snapshots

    match, other = (Match("academy_pass_and_shoot_with_keeper", 2) for _ in range(2))
    played = play(match)
    # Also after another match on the same engine, and on another engine.
    match.start(seed // 2)
    match.play([5, 5])
    assert_same(play(match), played)
    assert_same(play(other), played)


def test_matches_do_not_touch_each_other() -> None:
    first, second = (Match("academy_3_vs_1_with_keeper", 3) for _ in range(2))
    alone = [first.start(3), *(first.play([5, 13, 8]) for _ in range(15))]
    both = [first.start(3)]
    second.start(4)
    for _ in range(15):
        both.append(first.play([5, 13, 8]))
        second.play([12, 1, 9])
    assert_same(both, alone)


def test_engines_are_used_again() -> None:
    match = Match("academy_empty_goal", 1)
    engine = match._engine
    del match
    assert Match("academy_corner", 10)._engine is engine


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_agents_of_every_scenario(scenario: str) -> None:
    players = list(configure(scenario, 1, 0).left_team)
    expected = {**ACADEMY, "academy_counterattack_hard": 4}.get(scenario, max(1, len(players) - 1))
    assert count_agents(scenario, None) == expected
    match = Match(scenario, expected)
    snapshot = match.start(1)
    assert len(snapshot.moved) == expected
    assert len(set(snapshot.moved)) == expected
