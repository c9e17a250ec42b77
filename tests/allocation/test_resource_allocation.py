"""Resource Allocation: values by hand, a plain reference beside it, and what agents see and are paid."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import stmg_envs
from stmg_envs.allocation import Credit, ResourceAllocation, best_total, random_worth, worth
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import GameParallelEnv, GameVectorEnv, Streams
from stmg_envs.registry import REGISTRY

ID = "stmg/ResourceAllocation-v0"
TABLE = {
    3: (9, 9.000, 2.691),
    5: (16, 15.373, 4.825),
    10: (32, 30.745, 9.438),
    20: (63, 61.598, 16.537),
    50: (158, 154.007, 32.978),
}
"""Of mu = 3n and sigma = n: the best sum, what it is worth, and what uniformly random shares are."""


def plain(total: int, mu: float, sigma: float) -> float:
    """What a sum is worth."""
    return total * math.exp(-((total - mu) ** 2) / sigma**2)


def streams(batch: int) -> Streams:
    return Streams.from_seeds(range(batch))


def played(game: ResourceAllocation, *joint_actions: list[int]) -> tuple[Any, Any]:
    """The state and the outcome after some joint actions."""
    state = game.reset(streams(1))
    for joint in joint_actions:
        outcome = game.step(state, torch.tensor([joint]), streams(1))
        state = outcome.state
    return state, outcome


@pytest.mark.parametrize("n", TABLE)
def test_what_is_known_exactly(n: int) -> None:
    best, most, by_chance = TABLE[n]
    game = ResourceAllocation(n)
    assert (game.best, round(game.most_worth, 3)) == (best, most)
    assert round(random_worth(n, 3 * n, n), 3) == by_chance
    targets = game.optimal_returns(tuple(range(n)))
    assert targets is not None and targets.shape == (1, n)
    assert targets == pytest.approx(plain(best, 3 * n, n), abs=1e-12)


def test_scores_stand_on_the_exact_values() -> None:
    row = REGISTRY[ID]
    assert row.optimum == row.bounds[1]
    bounds = {10: row.bounds} | {arguments["n"]: values for arguments, values in row.other_bounds}
    assert bounds.keys() == TABLE.keys()
    for n, values in bounds.items():
        exact = random_worth(n, 3 * n, n), ResourceAllocation(n).most_worth
        assert values == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("n", "mu", "sigma"), [(1, 3, 1), (2, 7.5, 2), (3, 9, 3), (4, 30, 11.5)])
def test_chance_is_the_mean_over_all_joint_actions(n: int, mu: float, sigma: float) -> None:
    every = [plain(sum(joint), mu, sigma) for joint in itertools.product(range(10), repeat=n)]
    assert random_worth(n, mu, sigma) == pytest.approx(np.mean(every), rel=1e-12)


def test_two_agents_by_hand() -> None:
    """With mu = 6 and sigma = 2: G(6) = 6, G(7) = 7 / e^(1/4) = 5.45, G(4) = 4 / e = 1.47."""
    game = ResourceAllocation(2)
    assert (game.mu, game.sigma, game.best) == (6, 2, 6)
    for joint, paid, gap in (([1, 5], 6.0, 0), ([3, 4], 7 * math.exp(-0.25), 1), ([4, 0], 4 / math.e, 2)):
        _, outcome = played(game, joint)
        assert outcome.rewards.tolist() == [[pytest.approx(paid, rel=1e-6)] * 2]
        assert outcome.terminated.tolist() == [True]
        metrics = {name: value.item() for name, value in outcome.metrics.items()}
        assert metrics == {"optimal": float(gap == 0), "efficiency": pytest.approx(paid / 6), "gap": gap}


def test_differences_by_hand() -> None:
    """Of 5 + 2 = 7 the second agent's share is 1 too much, and the first one's is needed."""
    _, outcome = played(ResourceAllocation(2, credit="difference"), [5, 2])
    seven, five, two = 7 * math.exp(-0.25), 5 * math.exp(-0.25), 2 * math.exp(-4)
    assert outcome.rewards.tolist() == [pytest.approx([seven - two, seven - five], rel=1e-6)]
    _, outcome = played(ResourceAllocation(2, credit="difference"), [9, 0])
    nine = 9 * math.exp(-9 / 4)
    assert outcome.rewards.tolist() == [[pytest.approx(nine, rel=1e-6), 0]]
    _, outcome = played(ResourceAllocation(2, credit="difference"), [9, 6])
    assert (outcome.rewards < 0).all()


@pytest.mark.parametrize("credit", ["team", "difference"])
@pytest.mark.parametrize(
    ("n", "rounds", "hidden"), [(3, 1, False), (10, 1, True), (5, 4, False), (7, 3, True)]
)
def test_equal_to_a_plain_reference(n: int, rounds: int, hidden: bool, credit: Credit) -> None:
    """Twelve steps of a batch, so that all cases together are 100,000 steps."""
    batch, mu, sigma = 1050, 2.7 * n, 1.3 * n
    env = GameVectorEnv(ResourceAllocation(n, mu, sigma, rounds, hidden, credit), batch)
    env.reset(seed=3)
    rng = np.random.default_rng(n)
    for step in range(12):
        mus = env.episodes.state["mu"].tolist()
        actions = rng.integers(0, 10, (batch, n))
        _, rewards, terminated, truncated, info = env.step(torch.as_tensor(actions))
        assert terminated.all() == terminated.any() == ((step + 1) % rounds == 0)
        assert not truncated.any()
        expected, optimal, efficiency, gap = [], [], [], []
        bests: dict[float, int] = {}
        for joint, center in zip(actions.tolist(), mus, strict=True):
            assert (mu / 2 < center < 1.5 * mu) if hidden else (center == mu)
            if center not in bests:
                bests[center] = int(np.argmax([plain(x, center, sigma) for x in range(9 * n + 1)]))
            best, total = bests[center], sum(joint)
            gained = plain(total, center, sigma)
            others = [plain(total - own, center, sigma) for own in joint]
            expected.append([gained - (other if credit == "difference" else 0) for other in others])
            optimal.append(total == best)
            efficiency.append(gained / plain(best, center, sigma))
            gap.append(abs(total - best))
        np.testing.assert_allclose(rewards, expected, rtol=1e-6, atol=1e-6)
        assert info["metrics"]["optimal"].tolist() == optimal
        assert info["metrics"]["gap"].tolist() == gap
        np.testing.assert_allclose(info["metrics"]["efficiency"], efficiency, rtol=1e-6, atol=1e-12)
        assert (len(set(mus)) > batch / 2) == hidden


def test_one_round_shows_the_game_and_who_one_is() -> None:
    game = ResourceAllocation(4, mu=9, sigma=2)
    state, _ = played(game, [1, 2, 3, 4])
    for seen in (game.reset(streams(1)), state):
        rows = torch.cat([torch.tensor([[9 / 36, 2 / 36, 4 / 50]]).expand(4, 3), torch.eye(4)], dim=1)
        assert torch.equal(game.observe(seen), rows[None])
        assert torch.equal(game.global_state(seen), rows[:1, :3])


@pytest.mark.parametrize("credit", ["team", "difference"])
def test_rounds_show_the_last_joint_action(credit: Credit) -> None:
    game = ResourceAllocation(2, rounds=4, credit=credit)
    state, outcome = played(game, [1, 1], [5, 2])
    paid = outcome.rewards[0] / 18
    known = [6 / 18, 2 / 18, 2 / 50]
    last = [2 / 4, 5 / 9, 2 / 9, 7 / 18]
    own = [[*known, 1, 0, *last, paid[0]], [*known, 0, 1, *last, paid[1]]]
    torch.testing.assert_close(game.observe(state), torch.tensor([own]))
    worth_of_all = 7 * math.exp(-0.25) / 18
    torch.testing.assert_close(game.global_state(state), torch.tensor([[*known, *last, worth_of_all]]))
    first = game.observe(game.reset(streams(1)))
    assert (first[..., 5:] == 0).all()


@pytest.mark.parametrize("credit", ["team", "difference"])
def test_spaces_hold_the_best_and_the_worst(credit: Credit) -> None:
    """Also of an agent that took 9 too much, and of so many agents that their number is above 1."""
    for joint in ([9] * 7 + [0] * 53, [9] * 21 + [0] * 39, [9] * 60, [0] * 60):
        game = ResourceAllocation(60, mu=63, sigma=4, rounds=2, credit=credit)
        assert game.state_space is not None
        state, _ = played(game, joint)
        assert game.state_space.contains(game.global_state(state)[0].numpy())
        assert all(game.observation_space.contains(own.numpy()) for own in game.observe(state)[0])
    state, outcome = played(game, [9] * 7 + [9] + [0] * 52)
    assert (outcome.rewards.min() < 0) == (credit == "difference")
    assert all(game.observation_space.contains(own.numpy()) for own in game.observe(state)[0])


def test_rounds_end_and_begin_again() -> None:
    env = GameParallelEnv(ResourceAllocation(3, rounds=3))
    for _ in range(2):
        env.reset(seed=0)
        ends = []
        while env.agents:
            *_, terminations, truncations, _ = env.step(dict.fromkeys(env.agents, 3))
            ends.append((any(terminations.values()), any(truncations.values())))
        assert ends == [(False, False), (False, False), (True, False)]
    targets = env.game.optimal_returns((0, 1, 2))
    assert targets is not None and targets.tolist() == [[27, 27, 27]]
    assert env.game.return_scale() == 27


@pytest.mark.parametrize("rounds", [1, 3])
def test_hidden_stocks_are_not_seen_but_through_rewards(rounds: int) -> None:
    """Of the same actions, observations and states of two stocks differ in nothing but what was paid."""
    game = ResourceAllocation(5, rounds=rounds, hidden=True)
    state = game.reset(streams(300))
    assert len(state["mu"].unique()) == 300
    low, high = state["mu"].min(), state["mu"].max()
    assert 7.5 <= low < 7.7 and 22.3 < high <= 22.5
    assert torch.equal(state["best"], best_total(5, state["mu"], 5))
    assert (game.observe(state) == game.observe(state)[:1]).all()
    outcome = game.step(state, torch.full((300, 5), 4), streams(300))
    assert torch.equal(outcome.state["mu"], state["mu"])
    own, joint = game.observe(outcome.state), game.global_state(outcome.state)
    if rounds > 1:
        assert len(own[:, 0, -1].unique()) > 250 and len(joint[:, -1].unique()) > 250
        own, joint = own[..., :-1], joint[..., :-1]
    assert (own == own[:1]).all() and (joint == joint[:1]).all()
    assert game.optimal_returns(tuple(range(5))) is None and game.return_scale() == 0


def test_hidden_stocks_differ_between_episodes() -> None:
    env = GameVectorEnv(ResourceAllocation(3, hidden=True, mu=20), 50)
    env.reset(seed=0)
    before = env.episodes.state["mu"]
    env.step(torch.zeros(50, 3, dtype=torch.int64))
    after = env.episodes.state["mu"]
    assert not (before == after).any()
    assert min(before.min(), after.min()) >= 10 and max(before.max(), after.max()) <= 27


@given(st.data())
def test_worth_is_most_at_the_best_sum(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    mu = data.draw(st.floats(0, 9 * n))
    sigma = data.draw(st.floats(1, 9 * n))
    game = ResourceAllocation(n, mu, sigma)
    by_sum = [plain(x, mu, sigma) for x in range(9 * n + 1)]
    assert by_sum[game.best] == pytest.approx(max(by_sum), rel=1e-12)
    assert 0 < game.most_worth <= 9 * n
    assert 0 <= random_worth(n, mu, sigma) <= game.most_worth


@given(st.data())
def test_only_the_sum_counts_for_a_team(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    joint = data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    shuffled = data.draw(st.permutations(joint))
    game = ResourceAllocation(n)
    (_, one), (_, other) = played(game, joint), played(game, list(shuffled))
    assert torch.equal(one.rewards, other.rewards)
    differences = ResourceAllocation(n, credit="difference")
    (_, one), (_, other) = played(differences, joint), played(differences, list(shuffled))
    assert torch.equal(one.rewards.sort().values, other.rewards.sort().values)


def test_a_thousand_agents_play() -> None:
    game = stmg_envs.make_game(ID, n=1000)
    batch = GameVectorEnv(game, 2)
    observations, _ = batch.reset(seed=0)
    assert observations["observation"].shape == (2, 1000, 1003)
    actions = torch.full((2, 1000), 3)
    actions[0, :158] += 1
    _, rewards, terminated, _, info = batch.step(actions)
    assert info["metrics"]["optimal"].tolist() == [1, 0] and info["metrics"]["gap"].tolist() == [0, 158]
    assert rewards[1].unique().tolist() == [3000] and rewards[0, 0] > 3080 and terminated.all()
    assert batch.neighbors().sum().item() == 2 * 1000 * 999

    env = stmg_envs.parallel_env(ID, n=1000, rounds=2, credit="difference")
    own, _ = env.reset(seed=0)
    for _ in range(2):
        assert all(env.observation_space(agent).contains(seen) for agent, seen in own.items())
        own, paid, _, _, _ = env.step(dict.fromkeys(env.agents, 3))
    assert len(paid) == 1000 and not env.agents


def test_neighbours_are_all_others() -> None:
    game = ResourceAllocation(4)
    assert torch.equal(game.neighbors(game.reset(streams(1)))[0], ~torch.eye(4, dtype=torch.bool))


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 0},
        {"n": 1001},
        {"n": 2.0},
        {"n": True},
        {"mu": -0.1},
        {"mu": 90.1},
        {"mu": math.nan},
        {"mu": "30"},
        {"mu": torch.tensor(30.0)},
        {"sigma": 0},
        {"sigma": 0.99},
        {"sigma": 91},
        {"sigma": math.inf},
        {"rounds": 0},
        {"rounds": 1.5},
        {"hidden": 1},
        {"credit": "own"},
        {"credit": None},
    ],
)
def test_wrong_arguments(arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(InvalidArgumentError, match=rf"^{name}=.*; expected "):
        ResourceAllocation(**arguments)


def test_the_edges_of_the_ranges_are_legal() -> None:
    for game in (
        ResourceAllocation(mu=0, sigma=1),
        ResourceAllocation(mu=90, sigma=90),
        ResourceAllocation(mu=90, hidden=True),
        ResourceAllocation(1),
    ):
        state = game.reset(streams(50))
        assert (state["mu"] <= game.most).all()
        outcome = game.step(state, torch.full((50, game.n), 9), streams(50))
        assert bool(outcome.metrics["efficiency"].isfinite().all())


def test_worth_takes_any_shape() -> None:
    totals: Tensor = torch.arange(12).view(3, 4)
    mu = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    expected = [[plain(4 * i + j, mu[j].item(), 2) for j in range(4)] for i in range(3)]
    torch.testing.assert_close(worth(totals, mu, 2), torch.tensor(expected, dtype=torch.float64))
