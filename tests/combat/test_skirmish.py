"""The game: sizes, rewards, ends, neighbours, and play on every map."""

from __future__ import annotations

import shutil
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import stmg_envs
from stmg_envs.combat import SCENARIOS, Skirmish
from stmg_envs.combat.game import Dead
from stmg_envs.combat.layout import SIGHT
from stmg_envs.combat.scripted import focus_fire
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import GameVectorEnv

# Observation, state, actions, limit: what SMAC's own class says of its maps.
SIZES = {
    "3m": (30, 48, 9, 60),
    "5m_vs_6m": (55, 98, 12, 70),
    "27m_vs_30m": (285, 1170, 36, 180),
    "MMM2": (176, 322, 18, 180),
    "3s5z_vs_3s6z": (136, 230, 15, 170),
    "corridor": (156, 282, 30, 400),
    "2c_vs_64zg": (332, 342, 70, 400),
    "bane_vs_bane": (336, 984, 30, 200),
}


def random_actions(legal: Tensor, seed: int) -> Tensor:
    draws = torch.rand(legal.shape, generator=torch.Generator().manual_seed(seed))
    return draws.masked_fill(~legal, -1).argmax(dim=-1)


def play(game: Skirmish, batch: int, steps: int, seed: int = 0) -> list[dict[str, Any]]:
    """Random play, as long as there is anything to see, of every step."""
    env = GameVectorEnv(game, batch)
    observations, _ = env.reset(seed=seed)
    seen = []
    for step in range(steps):
        actions = random_actions(observations["action_mask"], step)
        observations, rewards, terminated, truncated, info = env.step(actions)
        seen.append(observations | {"rewards": rewards, "over": terminated | truncated, **info["metrics"]})
    return seen


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_smacs(name: str) -> None:
    game = Skirmish(name)
    assert game.state_space is not None
    found = (*game.observation_space.shape, *game.state_space.shape, game.action_width, game.max_steps)
    assert found == SIZES[name]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_map_is_played(name: str) -> None:
    game = Skirmish(name)
    low, high = game.observation_space.low[0], game.observation_space.high[0]
    for step in play(game, 8, 40):
        assert torch.isfinite(step["rewards"]).all() and (step["rewards"] >= 0).all()
        shown = step["observation"]
        assert (shown >= low).all() and (shown <= high).all()
        assert game.state_space is not None and game.state_space.contains(step["state"][0].numpy())
        assert step["action_mask"].any(dim=-1).all()
        # The dead can do nothing, the living cannot do that.
        assert torch.equal(step["action_mask"][..., 0], ~step["alive"])


@pytest.mark.parametrize("name", ["MMM2", "bane_vs_bane", "1c3s5z", "6h_vs_8z"])
def test_a_battle_is_the_same_in_any_batch(name: str) -> None:
    game = Skirmish(name)
    together = GameVectorEnv(game, 5)
    together.reset(seed=[7, 8, 9, 10, 11])
    alone = GameVectorEnv(Skirmish(name), 1)
    alone.reset(seed=[9])
    for step in range(30):
        actions = random_actions(together.episodes.observe()["action_mask"], step)
        shown, rewards, *_ = together.step(actions)
        own, own_rewards, *_ = alone.step(actions[2:3])
        assert torch.equal(shown["observation"][2], own["observation"][0])
        assert torch.equal(rewards[2], own_rewards[0])


def test_own_damage_adds_up_to_the_teams_reward() -> None:
    # Marines get nothing back, so what is dealt is what is lost.
    runs = [play(Skirmish("5m_vs_6m", reward=reward), 16, 60) for reward in ("team", "own_damage")]
    paid = 0.0
    for team, own in zip(*runs, strict=True):
        # All who lived get the team's reward; who died before gets nothing, and has dealt nothing.
        expected = team["rewards"].amax(dim=1)
        torch.testing.assert_close(own["rewards"].sum(dim=1), expected, atol=1e-4, rtol=1e-4)
        paid += float(expected.sum())
    assert paid > 1


def test_own_health_is_the_teams_reward_less_half_of_ones_own_loss() -> None:
    team, own = (Skirmish("3m", reward=reward) for reward in ("team", "own_health"))
    envs = [GameVectorEnv(game, 32) for game in (team, own)]
    shown, _ = [env.reset(seed=0) for env in envs][1]
    for step in range(40):
        before = envs[0].episodes.state["health"][:, :3]
        actions = random_actions(shown["action_mask"], step)
        (shown, paid, terminated, truncated, _), (_, owned, *_) = (env.step(actions) for env in envs)
        going_on = ~(terminated | truncated)
        after = envs[0].episodes.state["health"][:, :3]
        loss = before - after + 10 * ((before > 0) & (after <= 0))
        expected = paid - 0.5 * loss * team.scheme.factor(team.army)
        living = (before > 0) & going_on[:, None]
        torch.testing.assert_close(owned[living], expected[living], atol=1e-5, rtol=1e-5)


def test_the_dead_stay_as_in_smac_if_they_are_asked_to() -> None:
    leaving, staying = (play(Skirmish("3m", dead=dead), 32, 45) for dead in get_args(Dead))
    posthumous = 0.0
    for left, stayed in zip(leaving, staying, strict=True):
        dead = stayed["action_mask"][..., 0]
        assert stayed["alive"].all()
        assert torch.equal(dead, ~left["alive"])
        # They can do nothing, and see nothing; the battle is the same.
        assert not stayed["action_mask"][dead][:, 1:].any()
        assert not stayed["observation"][dead].any()
        assert torch.equal(left["observation"], stayed["observation"])
        assert torch.equal(stayed["rewards"], left["rewards"].amax(dim=1, keepdim=True).expand(-1, 3))
        posthumous += float((stayed["rewards"] - left["rewards"]).sum())
    assert posthumous > 1.0


def test_the_dead_who_stay_have_their_part_of_a_victory() -> None:
    game = Skirmish("3m", reward="own_damage", dead="stay")
    env = GameVectorEnv(game, 64)
    env.reset(seed=0)
    shares = []
    for _ in range(60):
        before = env.episodes.state["health"][:, :3]
        _, rewards, _, _, info = env.step(focus_fire(env.episodes.state, game.army))
        fallen = (before <= 0) & (info["metrics"]["battle_won"] > 0)[:, None]
        shares += rewards[fallen].tolist()
    # They deal nothing any more.
    assert shares == pytest.approx([200 / 3 * 20 / game.scheme.most(game.army)] * len(shares))
    assert len(shares) > 10


def test_victory_pays_the_most_that_can_be_had() -> None:
    game = Skirmish("3m")
    env = GameVectorEnv(game, 64)
    env.reset(seed=0)
    returns, running = torch.zeros(64, 3), torch.ones(64, dtype=torch.bool)
    won = torch.zeros(64)
    while bool(running.any()):
        _, rewards, terminated, truncated, info = env.step(focus_fire(env.episodes.state, game.army))
        returns += rewards * running[:, None]
        over = (terminated | truncated) & running
        won = torch.where(over, info["metrics"]["battle_won"], won)
        assert (info["metrics"]["dead_enemies"][over & (won > 0)] == 3).all()
        running = running & ~over
    assert won.any() and not won.all()
    # Whoever lives to the end of a battle that is won has got all of it.
    torch.testing.assert_close(returns[won > 0].amax(dim=1), torch.full((int(won.sum()),), 20.0))
    assert (returns[won == 0] < 20 - 200 / game.scheme.most(game.army) * 20 + 1e-3).all()


def test_an_episode_that_lasts_is_truncated_at_the_maps_limit() -> None:
    env = GameVectorEnv(Skirmish("2s_vs_1sc", max_steps=5), 2)
    env.reset(seed=0)
    for step in range(5):
        # Stopping, far from the enemy.
        _, _, terminated, truncated, _ = env.step(torch.ones(2, 2, dtype=torch.int64))
        assert not terminated.any() and truncated.all() == (step == 4)


@given(st.integers(0, 2**20), st.sampled_from(["3m", "2s3z", "MMM"]))
def test_neighbours_are_living_agents_in_sight(seed: int, name: str) -> None:
    game = Skirmish(name)
    env = GameVectorEnv(game, 2)
    env.reset(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    state = env.episodes.state
    state["x"].copy_(32 * torch.rand(state["x"].shape, generator=generator))
    state["health"][:, 0] = 0.0
    graph = game.neighbors(state)
    places = torch.stack([state["x"], state["y"]], dim=-1)[:, : game.n]
    near = torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist") < SIGHT
    near &= ~torch.eye(game.n, dtype=torch.bool)
    near[:, 0], near[:, :, 0] = False, False
    assert torch.equal(graph, near)


def test_an_illegal_action_is_a_stop() -> None:
    games = [GameVectorEnv(Skirmish("3m"), 1, validate=False) for _ in range(2)]
    for env in games:
        env.reset(seed=0)
    # Nobody is in reach at the start.
    far, stop = (torch.full((1, 3), action) for action in (6, 1))
    assert torch.equal(games[0].step(far)[0]["observation"], games[1].step(stop)[0]["observation"])


def test_the_scripted_team_plays_legal_actions_and_bounds_the_random_one() -> None:
    for name in ("8m", "MMM", "3s_vs_5z"):
        game = Skirmish(name)
        env = GameVectorEnv(game, 32)
        env.reset(seed=0)
        dealt = 0.0
        for _ in range(40):
            actions = focus_fire(env.episodes.state, game.army)
            legal = env.episodes.state["legal"].gather(2, actions[..., None])
            assert legal.all()
            dealt += float(env.step(actions)[1].sum())
        random = sum(float(step["rewards"].sum()) for step in play(game, 32, 40))
        assert dealt > 1.5 * random


# The compiler warns of what it uses itself.
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_ticks_do_the_same() -> None:
    """But for rounding, which now and then makes a strike a tick earlier, and a battle another one."""
    eager, compiled = (GameVectorEnv(Skirmish("3m"), 64) for _ in range(2))
    compiled.game.compile()  # type: ignore[attr-defined]
    paid = torch.zeros(2)
    for env in (eager, compiled):
        env.reset(seed=0)
    for step in range(25):
        seen, shown = (env.episodes.observe()["observation"] for env in (eager, compiled))
        same = torch.isclose(seen, shown, atol=1e-4).all(dim=-1).all(dim=-1)
        assert same.all() if step < 5 else same.float().mean() > 0.7, f"step {step}: {same.float().mean()}"
        for i, env in enumerate((eager, compiled)):
            actions = focus_fire(env.episodes.state, env.game.army)  # type: ignore[attr-defined]
            paid[i] += env.step(actions)[1].sum()
    assert paid[0] > 64 and torch.isclose(paid[0], paid[1], rtol=0.05)


def test_pictures_and_text() -> None:
    env = stmg_envs.parallel_env("stmg/Skirmish-v0", map="2s3z", render_mode="rgb_array")
    env.reset(seed=0)
    picture = np.asarray(env.render())
    assert picture.shape == (560, 560, 3) and picture.dtype == np.uint8
    # Agents are blue, enemies red.
    for color in ((47, 111, 159), (181, 64, 58)):
        assert (np.abs(picture.astype(int) - color).max(axis=-1) < 8).sum() > 100
    text = stmg_envs.parallel_env("stmg/Skirmish-v0", map="2s3z", render_mode="ansi")
    text.reset(seed=0)
    said = str(text.render())
    assert "2s3z: 5 allies against 5, 0 s" in said and "stalker_1" in said and "enemy zealot 4" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"map": "9m"}, "map='9m' is unknown; expected one of"),
        ({"reward": "mine"}, "reward='mine' is unknown"),
        ({"dead": "rise"}, "dead='rise' is unknown; expected one of"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"scan": -1.0}, "scan=-1.0"),
        ({"reward_win": float("nan")}, "reward_win=nan"),
    ],
)
def test_bad_arguments_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        Skirmish(**wrong)
