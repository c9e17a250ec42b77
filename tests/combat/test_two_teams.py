"""Battles in which somebody decides for the enemies: another team of agents, a function, or nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import stmg_envs
from baselines.runs.api import evaluate, train
from stmg_envs.combat import Skirmish
from stmg_envs.combat.layout import STOP
from stmg_envs.combat.scripted import focus_fire
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import GameVectorEnv

NORTH, SOUTH, EAST, WEST = range(2, 6)
TURNED = torch.tensor([0, STOP, SOUTH, NORTH, WEST, EAST, 6, 7, 8])
"""The action that looks the same from the other side of a map that is symmetric about its middle; on 3m."""


def random_actions(mask: Tensor, seed: int) -> Tensor:
    draws = torch.rand(mask.shape, generator=torch.Generator().manual_seed(seed))
    return draws.masked_fill(~mask, -1).argmax(dim=-1)


def start(batch: int = 1, **arguments: object) -> tuple[GameVectorEnv, dict[str, Tensor]]:
    env = GameVectorEnv(Skirmish(**arguments), batch)  # type: ignore[arg-type]
    return env, env.reset(seed=0)[0]


def seen_from_behind(rows: Tensor) -> Tensor:
    """An observation on 3m as it would be if the map were turned around its middle."""
    moves, units, own = rows.split([4, 25, 1], dim=-1)
    signs = torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0])
    return torch.cat([moves[..., [1, 0, 3, 2]], (units.unflatten(-1, (5, 5)) * signs).flatten(-2), own], -1)


def test_equal_teams_that_do_the_same_see_the_same() -> None:
    """Nobody fires, so nothing is random: every enemy sees what its ally sees, from the other side."""
    env, seen = start(map="3m", opponent="agents")
    assert env.agents == tuple(f"{side}_{i}" for side in ("marine", "enemy") for i in range(3))
    for step in range(8):
        allies, enemies = seen["observation"].split(3, dim=1)
        torch.testing.assert_close(enemies, seen_from_behind(allies), atol=1e-5, rtol=0)
        masks = seen["action_mask"].split(3, dim=1)
        assert torch.equal(masks[1], masks[0][..., TURNED])
        # Towards each other at first.
        moves = torch.full((1, 3), EAST) if step < 4 else random_actions(masks[0][..., :6], step)
        seen, rewards, *_ = env.step(torch.cat([moves, TURNED[moves]], dim=1))
        assert not rewards.any()
    # By now they see each other.
    assert seen["observation"][..., 4:19].any()


@pytest.mark.parametrize("name", ["5m_vs_6m", "MMM2", "3s5z", "2c_vs_64zg"])
def test_the_allies_see_and_may_do_what_they_do_against_other_enemies(name: str) -> None:
    """Their view and their rewards are the same numbers, with zeros behind, whoever plays the enemies."""

    def rules(observations: Tensor, mask: Tensor) -> Tensor:
        return random_actions(mask, 7)

    teams, seen = start(2, map=name, opponent="agents")
    function, view = start(2, map=name, opponent=rules)
    n, width = len(function.agents), view["observation"].shape[-1]
    for step in range(40):
        assert torch.equal(seen["observation"][:, :n, :width], view["observation"])
        assert not seen["observation"][:, :n, width:].any()
        mask = view["action_mask"]
        assert torch.equal(seen["action_mask"][:, :n, : mask.shape[2]], mask)
        actions = random_actions(mask, step)
        enemies = teams.game._enemies.mask(teams.episodes.state)  # type: ignore[attr-defined]
        view, rewards, *_ = function.step(actions)
        seen, paid, *_ = teams.step(torch.cat([actions, random_actions(enemies, 7)], dim=1))
        assert torch.equal(paid[:, :n], rewards)


def test_each_side_is_paid_for_what_the_other_loses() -> None:
    env, seen = start(32, map="5m_vs_6m", opponent="agents")
    # SMAC's scale: 20 over 10 per enemy, 200, and their health.
    factors = (20 / (6 * 10 + 200 + 6 * 45), 20 / (5 * 10 + 200 + 5 * 45))
    sides = (slice(0, 5), slice(5, 11))
    ends = torch.zeros(2)
    advance = torch.tensor([EAST] * 5 + [WEST] * 6)
    # Six against five win; in half of the battles they do nothing.
    lazy = (torch.arange(32) % 2 == 0)[:, None] & (torch.arange(11) >= 5)
    for step in range(50):
        before = env.episodes.state["health"].clone()
        targets = seen["action_mask"][..., 6:]
        attack = 6 + random_actions(targets, step)
        actions = torch.where(lazy, STOP, torch.where(targets.any(dim=-1), attack, advance))
        actions = torch.where(seen["alive"], actions, 0)
        seen, rewards, terminated, truncated, info = env.step(actions)
        over = terminated | truncated
        after = torch.where(over[:, None], torch.nan, env.episodes.state["health"])
        for own, other, factor in zip(sides, sides[::-1], factors, strict=True):
            lost = before[:, other] - after[:, other]
            deaths = (before[:, other] > 0) & (after[:, other] <= 0)
            expected = factor * (lost.sum(dim=1) + 10 * deaths.sum(dim=1))
            living = before[:, own] > 0
            assert (rewards[:, own][~living] == 0).all()
            going_on = ~over[:, None] & living
            torch.testing.assert_close(
                rewards[:, own][going_on], expected[:, None].expand_as(living)[going_on], atol=1e-4, rtol=1e-4
            )
        won = (info["metrics"]["battle_won"], info["metrics"]["enemies_won"])
        for side, (code, factor) in enumerate(zip(won, factors, strict=True)):
            code = code.bool() & terminated
            ends[side] += code.sum()
            assert (rewards[code][:, sides[side]].amax(dim=1) >= 200 * factor).all()
            assert (rewards[code][:, sides[1 - side]] < 100 * factor).all()
    assert (ends > 0).all()


def test_neighbours_are_of_the_same_team() -> None:
    env, _ = start(map="3m", opponent="agents")
    env.episodes.state["x"].fill_(16.0)
    graph = env.game.neighbors(env.episodes.state)[0]
    assert torch.equal(graph, torch.block_diag(*[torch.ones(3, 3) - torch.eye(3)] * 2).bool())


@pytest.mark.parametrize("name", ["3m", "MMM"])
def test_idle_enemies_stand_and_let_themselves_be_beaten(name: str) -> None:
    env, _ = start(8, map=name, opponent="idle")
    n = env.game.army.n  # type: ignore[attr-defined]
    before = {key: value.clone() for key, value in env.episodes.state.items()}
    for _ in range(6):
        env.step(torch.ones(8, n, dtype=torch.int64))
    for key in ("x", "y", "health"):
        assert torch.equal(env.episodes.state[key], before[key])
    wins = torch.zeros(8)
    for _ in range(60):
        _, _, terminated, _, info = env.step(focus_fire(env.episodes.state, env.game.army))  # type: ignore[attr-defined]
        wins += terminated * info["metrics"]["battle_won"]
        assert not info["metrics"]["dead_allies"].any()
    assert (wins >= 1).all()


@pytest.mark.parametrize("wrong", [torch.ones(2, 4, dtype=torch.int64), torch.full((2, 3), 9)])
def test_a_function_that_gives_something_else_is_refused(wrong: Tensor) -> None:
    env, _ = start(2, map="3m", opponent=lambda observations, mask: wrong)
    with pytest.raises(InvalidArgumentError, match=r"expected integers in 0..8 of shape \(2, 3\)"):
        env.step(torch.ones(2, 3, dtype=torch.int64))


def test_an_unknown_opponent_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="opponent='nobody' is unknown; expected one of"):
        Skirmish(opponent="nobody")  # type: ignore[arg-type]


def test_two_teams_that_have_learned_meet_and_both_are_reported(tmp_path: Path) -> None:
    run = train(
        "mappo",
        "stmg/Skirmish-v0",
        env_args={"map": "3m", "opponent": "agents"},
        seeds=1,
        out=tmp_path / "run",
        total_steps=512,
        num_envs=8,
        rollout_steps=16,
        eval_episodes=4,
    )
    evaluated = evaluate(run.path, 8)
    assert evaluated.returns.shape == (1, 8, 6)
    for side, members in {"allies": range(3), "enemies": range(3, 6)}.items():
        expected = evaluated.returns[..., list(members)].mean(axis=-1)
        assert (evaluated.metrics[f"return_{side}"] == expected).all()
    assert {"battle_won", "enemies_won"} <= set(evaluated.metrics)
    # The same policy plays the joint view of one battle.
    env = stmg_envs.parallel_env("stmg/Skirmish-v0", map="3m", opponent="agents")
    env.reset(seed=0)
    assert len(env.agents) == 6
