"""On-ramp merging: rewards, neighbours, spawns and metrics by hand, and how well it can be played."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from careful import cautious
from hypothesis import given
from hypothesis import strategies as st
from scenes import place

import stmg_envs
from stmg_envs.errors import InvalidArgumentError, MissingEngineError
from stmg_envs.merge import OnRampMerge, in_metres
from stmg_envs.merge.collisions import collide
from stmg_envs.merge.game import unpack
from stmg_envs.merge.neighbors import neighbors
from stmg_envs.merge.observations import Sight, observe
from stmg_envs.merge.profiles import PROFILES
from stmg_envs.merge.rewards import headways, own_rewards, share
from stmg_envs.merge.roads import BEND, BESIDE_MERGE, MERGE, RAMP, THROUGH
from stmg_envs.merge.simulation import FASTER, IDLE, LEFT, RIGHT, SLOWER, advance
from stmg_envs.merge.spawning import Crowd, spawn
from stmg_envs.merge.supervisor import supervise
from stmg_envs.merge.vehicles import Motion
from stmg_envs.protocol import Episodes, GameVectorEnv, Streams
from stmg_envs.registry import REGISTRY
from wrappers import PriorityVectorEnv, WithPriority, merging_order

ID = "stmg/OnRampMerge-v0"
HIGHWAY = PROFILES["highway-env"]


def actions(*choices: int) -> torch.Tensor:
    return torch.tensor(choices)[:, None]


# --- rewards ---


def test_own_rewards() -> None:
    vehicles = place(
        [
            {"x": 100, "y": 0, "speed": 20.0},  # 24 m behind the next: 1.2 v
            {"x": 124, "y": 0, "speed": 30.0},  # 18 m behind the next, half of 1.2 v
            {"x": 142, "y": 0, "speed": 35.0},  # nobody within 60 m
            {"x": 310, "y": 0, "speed": 5.0},  # 15 m behind one in the next lane
            {"x": 400, "y": 4, "speed": 10.0},  # on the merge lane, 20 m before its end
            {"x": 325, "y": 0, "speed": 25.0, "crashed": True},
            {"x": 50, "y": 10.5, "speed": -1.0},  # rolls back: no headway
        ]
    )
    expected = [
        0.5,
        1 + 4 * math.log(0.5),
        1.0,
        0.0,
        -4 * math.exp(-(20**2) / 1000),
        0.75 - 200,
        0.0,
    ]
    ahead = vehicles.x - vehicles.x[:, None]
    assert own_rewards(vehicles, ahead)[:, 0].tolist() == pytest.approx(expected, abs=1e-12)
    assert headways(vehicles.lane, ahead[:4])[:, 0].tolist() == [24, 18, 60, 15]


def test_reward_modes() -> None:
    own = torch.tensor([[6.0], [3.0], [-3.0], [100.0]])
    present = torch.tensor([[True], [True], [True], [False]])
    graph = torch.zeros(4, 4, 1, dtype=torch.bool)
    graph[0, 1] = graph[1, 0] = graph[1, 2] = graph[2, 1] = True
    expected = {
        "own": [6, 3, -3, 0],
        "regional": [4.5, 2, 0, 0],
        "global": [2, 2, 2, 0],
    }
    for mode, rewards in expected.items():
        assert share(own, graph, present, mode)[:, 0].tolist() == rewards  # type: ignore[arg-type]


def test_a_crash_costs_200_and_ends_the_episode() -> None:
    game = OnRampMerge(reward_mode="own")
    episodes = Episodes(game, 64)
    episodes.reset(0)
    ended = torch.zeros(64, dtype=torch.bool)
    for _ in range(100):
        transition = episodes.step(torch.full((64, 2), FASTER), ~ended)
        crashed = unpack(episodes.state).crashed[:2].t()
        now = ~ended & transition.terminated
        assert torch.equal(transition.terminated, crashed.any(dim=1) & ~ended)
        assert torch.equal(transition.rewards[now] < -150, crashed[now])
        assert torch.equal(transition.metrics["crash_rate"][~ended] > 0, crashed.any(dim=1)[~ended])
        ended |= transition.done
    # Who never leaves the merge lane meets the obstacle.
    assert ended.all() and crashed.any(dim=1).all()


# --- neighbours and observations ---


def edges(rows: list[dict[str, Any]], n: int) -> set[tuple[int, int]]:
    graph = neighbors(Sight.of(place(rows), n))[..., 0]
    assert torch.equal(graph, graph.T)
    return {(i, j) for i, j in graph.nonzero().tolist() if i < j}


def test_neighbours_on_one_road() -> None:
    rows = [{"x": x, "y": 0} for x in (100, 150, 240, 430)]
    assert edges(rows, 4) == {(0, 1), (1, 2)}  # 190 m are too far
    # A human driver stands between, but for nobody who is not there.
    assert edges([*rows, {"x": 120, "y": 0}], 4) == {(1, 2)}
    assert edges([*rows, {"x": 120, "y": 0, "present": False}], 4) == {(0, 1), (1, 2)}


def test_neighbours_across_the_roads() -> None:
    def rows(x: float, y: float) -> list[dict[str, Any]]:
        return [{"x": x, "y": 0}, {"x": x + 15, "y": 0}, {"x": x + 5, "y": y}]

    assert edges(rows(330, 4), 3) == {(0, 1), (0, 2), (1, 2)}
    assert edges(rows(100, 10.5), 3) == {(0, 1)}  # the roads do not run side by side yet
    assert edges(rows(500, 0), 3) == {(0, 2), (1, 2)}  # one road, one order


def test_observations_by_hand() -> None:
    vehicles = place(
        [
            {"x": 300, "y": 0, "speed": 27.0},
            {"x": 285, "y": 6, "speed": 18.0},
            {"x": 450, "y": 0, "speed": 22.5},
            {"x": 481, "y": 0, "speed": 22.5},
            {"x": -1e4, "y": 0, "present": False},
        ]
    )
    seen = observe(Sight.of(vehicles, 2), observe_id=True)
    assert seen.shape == (1, 2, 27) and seen.dtype == torch.float32
    expected = [1, 2, 0, 0.6, 0, 1, -0.1, 0.5, -0.2, 0, 1, 1, 0, -0.1, 0, *[0] * 10, 1, 0]
    assert seen[0, 0].tolist() == pytest.approx(expected, abs=1e-7)
    assert in_metres(seen)[0, 0, 1].tolist() == pytest.approx([1, -15, 6, -9, 0], abs=1e-5)
    absent = observe(Sight.of(vehicles, 5), observe_id=True)[0, 4]
    assert not absent.any()


# --- driving ---


def test_decisions_change_target_speed_and_lane() -> None:
    places = ((350, 4), (330, 0), (290, 0), (260, 0), (230, 0))
    vehicles = place([{"x": x, "y": y, "speed": 22.0, "target_speed": 25.0} for x, y in places])
    after = advance(vehicles, actions(LEFT, RIGHT, IDLE, FASTER, SLOWER), HIGHWAY)
    # 22 m/s is nearest to 20: faster is 25, slower 15.
    assert after.target_speed[:, 0].tolist() == [25, 25, 25, 25, 15]
    assert vehicles.target[:2, 0].tolist() == [MERGE, BESIDE_MERGE]
    assert after.target[:2, 0].tolist() == [BESIDE_MERGE, BESIDE_MERGE]


def test_one_tick_of_a_vehicle_alone() -> None:
    vehicles = place([{"x": 100, "y": 0, "speed": 20.0, "target_speed": 25.0}])
    after = advance(vehicles, actions(IDLE), HIGHWAY, ticks=1)
    assert float(after.x) == pytest.approx(100 + 20 / 15)
    assert float(after.speed) == pytest.approx(20 + 5 / 0.6 / 15)
    assert (float(after.y), float(after.heading)) == (0, 0)


def test_human_drivers_keep_their_distance() -> None:
    # Behind one at the same speed: free acceleration 0 at the target speed, less 3 (gap / distance)^2.
    vehicles = place(
        [{"x": 250, "y": 0, "speed": 20.0}, {"x": 200, "y": 0, "speed": 20.0, "target_speed": 20.0}]
    )
    after = advance(vehicles, actions(IDLE), HIGHWAY, ticks=1)
    assert float(after.speed[1]) == pytest.approx(20 - 3 * ((10 + 1.5 * 20) / 50) ** 2 / 15)


def test_collisions_of_the_two_profiles() -> None:
    rows = [{"x": 100, "y": 0, "speed": 20.0}, {"x": 104.8, "y": 0, "speed": 10.0}]
    # 4.8 m are less than the length of a vehicle, and more than 0.9 of it.
    for profile, crashed in (("highway-env", [True, True]), ("marl_cavs", [False, False])):
        vehicles = place(rows)
        after = collide(vehicles, Motion.of(vehicles), PROFILES[profile])
        assert after.crashed[:, 0].tolist() == crashed, (
            "4.8 m is less than a vehicle, and more than 0.9 of it"
        )
    rows[1]["x"] = 104.0
    vehicles = place(rows)
    after = collide(vehicles, Motion.of(vehicles), PROFILES["marl_cavs"])
    assert after.crashed.all() and after.speed[:, 0].tolist() == [10, 10]
    pushed = collide(vehicles, Motion.of(vehicles), PROFILES["highway-env"])
    # They overlap by 1 m, and by the relative motion of a tick more; each is pushed half of it.
    depth = 1 + (20 - 10) / 15
    assert pushed.push_x[:, 0].tolist() == pytest.approx([-depth / 2, depth / 2])


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_stops_or_goes_on_at_a_crash(profile: str) -> None:
    vehicles = place([{"x": 413, "y": 4, "speed": 30.0}, {"x": 100, "y": 0, "speed": 20.0}])
    after = advance(vehicles, actions(IDLE, IDLE), PROFILES[profile])
    assert after.crashed[:, 0].tolist() == [True, False]
    # Three ticks, or the two until the obstacle is met.
    assert float(after.x[1]) == pytest.approx(100 + 20 * (3 if profile == "highway-env" else 2) / 15)


# --- spawns ---


@given(st.integers(0, 2**31), st.sampled_from([1, 2, 3]), st.booleans())
def test_spawns(seed: int, density: int, chance: bool) -> None:
    game = OnRampMerge(density, num_agents="random" if chance else None)
    vehicles = spawn(game.crowd, Streams.from_seeds(range(seed, seed + 8)))
    n = game.n
    agents, drivers = vehicles.present[:n].sum(dim=0), vehicles.present[n:].sum(dim=0)
    for counts, (low, high) in ((agents, game.crowd.agents), (drivers, game.crowd.traffic)):
        assert ((low <= counts) & (counts <= high)).all()
    through = vehicles.present & (vehicles.lane == THROUGH)
    assert torch.equal(through[:n].sum(dim=0), agents // 2)
    assert torch.equal(through[n:].sum(dim=0), drivers // 2)
    assert (vehicles.lane[vehicles.present] != BEND).all()
    for road, first in ((THROUGH, 10), (RAMP, 5)):
        here = vehicles.present & (vehicles.lane == road)
        places = ((vehicles.x - first) / 40).round()
        assert ((vehicles.x - first - 40 * places).abs()[here] <= 1.5).all()
        for slot in range(8):
            taken = places[:, slot][here[:, slot]].tolist()
            assert len(set(taken)) == len(taken) and set(taken) <= set(range(6))
    speed = vehicles.speed[vehicles.present]
    assert ((speed >= 25) & (speed <= 27)).all()
    assert (vehicles.target_speed[:n][vehicles.present[:n]] == 25).all()
    assert torch.equal(vehicles.target_speed[n:], vehicles.speed[n:])


def test_numbers_of_vehicles_are_uniform() -> None:
    vehicles = spawn(Crowd((4, 6), (3, 5)), Streams.from_seeds(range(9000)))
    for rows in (vehicles.present[:6], vehicles.present[6:]):
        counts = rows.sum(dim=0).bincount()
        # Four standard deviations of a binomial count of 9,000 and 1/3.
        assert (counts[counts > 0] - 3000).abs().max() < 4 * math.sqrt(9000 * 2 / 9)
        assert (counts > 0).sum() == 3


# --- the game ---


def test_sizes_of_the_papers() -> None:
    for density, n in ((1, 2), (2, 3), (3, 4)):
        game = OnRampMerge(density)
        assert (game.n, game.observation_space.shape, game.max_steps) == (n, (25 + n,), 100)
        assert game.state_space is not None and game.state_space.shape == (n * (25 + n),)
    assert OnRampMerge(observe_id=False).observation_space.shape == (25,)
    assert [OnRampMerge(density, "random").n for density in (1, 2, 3)] == [3, 4, 6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"traffic_density": 4}, r"traffic_density=4 is unknown.*\[1, 2, 3\]"),
        ({"traffic_density": True}, "traffic_density=True"),
        ({"num_agents": 0}, r"num_agents=0 .*1\.\.8"),
        ({"num_agents": 7, "traffic_density": 3}, r"num_agents=7 .*1\.\.6"),
        ({"num_agents": 2.0}, r"num_agents=2\.0"),
        ({"num_agents": "some"}, "num_agents='some'"),
        ({"reward_mode": "mean"}, "reward_mode='mean'.*'regional'"),
        ({"action_masking": 1}, "action_masking=1 is no flag"),
        ({"safety_supervisor": None}, "safety_supervisor=None"),
        ({"observe_id": "yes"}, "observe_id='yes'"),
        ({"profile": "fork"}, "profile='fork'.*'marl_cavs'"),
        ({"max_steps": 0}, r"max_steps=0.*1\.\.1000"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        stmg_envs.make_game(ID, **arguments)


def test_a_missing_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row = REGISTRY[ID]
    engine = replace(row.backends["highway-env"], engine="no_such_engine")
    monkeypatch.setitem(REGISTRY.own, ID, replace(row, backends={**row.backends, "highway-env": engine}))
    for make in (stmg_envs.parallel_env, stmg_envs.aec_env, stmg_envs.turn_stream, stmg_envs.joint_spaces):
        make(ID)
        with pytest.raises(MissingEngineError, match=r"pip install 'stmg\[highway\]'"):
            make(ID, backend="highway-env")


def test_unknown_backend() -> None:
    for id, known in ((ID, r"\['native', 'highway-env'\]"), ("stmg/Penalty-v0", r"\['native'\]")):
        with pytest.raises(InvalidArgumentError, match=rf"backend='sumo' is none of {id}; .*{known}"):
            stmg_envs.parallel_env(id, backend="sumo")
    with pytest.raises(InvalidArgumentError, match=r"backend='highway-env' .* no native game"):
        stmg_envs.make_game(ID, backend="highway-env")


def test_metrics_of_a_slow_and_a_quick_merge() -> None:
    game = OnRampMerge(num_agents=2)
    env = GameVectorEnv(game, 200)
    observations, _ = env.reset(seed=0)
    for step in range(1, 101):
        before = env.episodes.state["merged_after"].clone()
        observations, _, _, _, info = env.step(cautious(observations["observation"]))
        metrics, state = info["metrics"], env.episodes.state
        assert all(bool(value.isfinite().all()) for value in metrics.values())
        if step < 100:
            # Agent 1 alone comes from the ramp: it has merged now, before, or counts as not at all.
            now = before.isinf() & state["merged_after"].isfinite()
            assert torch.equal(state["merged_after"][now], torch.full_like(before[now], step))
            waiting = state["merged_after"][:, 1].isinf() & (state["decisions"] == step)
            assert (metrics["time_to_merge"][waiting] == 20).all()
            assert (metrics["merged"][waiting] == 0).all()
    assert ((metrics["mean_speed"] >= 20) & (metrics["mean_speed"] <= 30)).float().mean() > 0.95


def test_absent_agents_neither_act_nor_count() -> None:
    game = OnRampMerge(1, num_agents="random", reward_mode="global")
    env = GameVectorEnv(game, 60)
    observations, _ = env.reset(seed=0)
    alive = observations["alive"]
    assert set(alive.sum(dim=1).tolist()) == {1, 2, 3}
    parallel = stmg_envs.parallel_env(ID, num_agents="random")
    for seed in range(10):
        parallel.reset(seed=seed)
        assert parallel.agents == [f"agent_{i}" for i in alive[seed].nonzero().flatten().tolist()]
    for choice in (FASTER, SLOWER):
        twin = GameVectorEnv(game, 60)
        twin.reset(seed=0)
        joint = torch.where(alive, IDLE, choice)
        seen, rewards, *_ = twin.step(joint)
        assert not rewards[~alive].any()
        assert torch.equal(seen["alive"], alive)
        assert not seen["observation"][~alive].any()
        if choice == FASTER:
            first = seen["observation"], rewards
    assert torch.equal(first[0], seen["observation"]) and torch.equal(first[1], rewards)


def test_changing_to_the_right_is_idling() -> None:
    env = GameVectorEnv(OnRampMerge(2, action_masking=True), 100)
    observations, _ = env.reset(seed=3)
    for _ in range(60):
        mask = observations["action_mask"]
        assert mask[..., IDLE].all() and not mask[..., RIGHT].any()
        vehicles = unpack(env.episodes.state)
        idle, right = (
            advance(vehicles, torch.full((3, 100), choice), HIGHWAY).tensors() for choice in (IDLE, RIGHT)
        )
        assert all(torch.equal(idle[name], right[name]) for name in idle)
        observations = env.step(cautious(observations["observation"]))[0]


def play(env: Any, policy: Any, seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Returns (B,) and metrics of one episode in each environment."""
    observations, _ = env.reset(seed=seed)
    total, running = torch.zeros(env.num_envs), torch.ones(env.num_envs, dtype=torch.bool)
    last: dict[str, torch.Tensor] = {}
    while bool(running.any()):
        observations, rewards, terminated, truncated, info = env.step(policy(observations["observation"]))
        total += rewards.mean(dim=1) * running
        done = running & (terminated | truncated)
        last = {name: torch.where(done, new, last.get(name, new)) for name, new in info["metrics"].items()}
        running &= ~done
    return total, last


def test_bounds_are_met() -> None:
    low, high = stmg_envs.game_spec(ID).bounds
    env = stmg_envs.vector_env(ID, 2000)
    generator = torch.Generator().manual_seed(0)
    for bound, policy in (
        (low, lambda seen: torch.randint(5, seen.shape[:2], generator=generator)),
        (high, cautious),
    ):
        returns, _ = play(env, policy, seed=7)
        assert float(returns.mean()) == pytest.approx(
            bound, abs=4 * float(returns.std()) / math.sqrt(2000) + 0.5
        )


def test_careful_players_merge_and_crash_seldom() -> None:
    for density, crashes in ((1, 0.01), (2, 0.03), (3, 0.08)):
        env = stmg_envs.vector_env(ID, 1000, traffic_density=density)
        _, metrics = play(env, cautious, seed=0)
        assert float(metrics["crash_rate"].mean()) <= crashes
        assert float(metrics["merged"].mean()) >= 1 - crashes


def test_the_supervisor_prevents_crashes() -> None:
    def crash_rate(supervised: bool) -> float:
        generator = torch.Generator().manual_seed(0)
        env = stmg_envs.vector_env(ID, 60, traffic_density=3, safety_supervisor=supervised)
        _, metrics = play(env, lambda seen: torch.randint(5, seen.shape[:2], generator=generator), seed=0)
        return float(metrics["crash_rate"].mean())

    assert crash_rate(True) < 0.5 * crash_rate(False)


def test_the_supervisor_lets_safe_actions_be() -> None:
    safe = place([{"x": 100, "y": 0, "speed": 25.0}, {"x": 40, "y": 10.5, "speed": 25.0}])
    for choice in range(5):
        wanted = actions(choice, choice)
        assert torch.equal(supervise(safe, wanted, HIGHWAY), wanted)
    # To change lanes beside somebody is not safe; everything else is, and slower leaves the most room.
    beside = place(
        [{"x": 350, "y": 0, "speed": 25.0}, {"x": 347, "y": 4, "speed": 25.0, "target_speed": 25.0}]
    )
    corrected = supervise(beside, actions(IDLE, LEFT), HIGHWAY)
    assert int(corrected[0]) == IDLE and int(corrected[1]) != LEFT


def test_merging_order() -> None:
    vehicles = place(
        [
            {"x": 100, "y": 0},  # 30 m behind
            {"x": 130, "y": 0},  # 10 m behind
            {"x": 140, "y": 0},
            {"x": 60, "y": 10.5},
            {"x": 200, "y": 10.5},
        ]
    )
    order = merging_order()(observe(Sight.of(vehicles, 5), observe_id=True), Streams.from_seeds([0]))
    assert order.tolist() == [[4, 3, 1, 0, 2]]


def test_merging_order_of_both_wrappers() -> None:
    batch = PriorityVectorEnv(stmg_envs.vector_env(ID, 3, traffic_density=3), merging_order())
    single = WithPriority(stmg_envs.parallel_env(ID, traffic_density=3), merging_order())
    seen, _ = batch.reset(seed=0)
    single.reset(seed=0)
    orders = set()
    for _ in range(80):
        names = tuple(f"agent_{i}" for i in batch.priority[0].tolist())
        assert names == single.priority
        orders.add(names)
        joint = cautious(seen["observation"])
        seen = batch.step(joint)[0]
        single.step(dict(zip(single.possible_agents, joint[0].tolist(), strict=True)))
    assert len(orders) > 1


def test_pictures_show_ranks_and_neighbours() -> None:
    env = stmg_envs.parallel_env(ID, render_mode="rgb_array", traffic_density=3)
    env.reset(seed=0)
    before = env.render()
    env.priority = tuple(reversed(env.possible_agents))
    assert before.dtype == np.uint8 and not np.array_equal(before, env.render())
    env = stmg_envs.parallel_env(ID, render_mode="ansi")
    env.reset(seed=0)
    assert env.render().startswith("agent_0 (") and env.render().endswith("human drivers")
