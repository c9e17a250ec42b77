"""What our code says of roads and vehicles, beside what highway-env says of the same."""

from __future__ import annotations

import copy
import math
import pickle

import gymnasium
import numpy as np
import pettingzoo
import pytest
import torch
from highway_env import utils
from highway_env.road.lane import SineLane, StraightLane
from highway_env.road.road import RoadNetwork
from hypothesis import given
from hypothesis import strategies as st
from scenes import place

import stmg_envs
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.merge.game import OnRampMerge, unpack
from stmg_envs.merge.highway import HighwayEnvGame
from stmg_envs.merge.network import make_network
from stmg_envs.merge.rectangles import overlaps
from stmg_envs.merge.roads import BESIDE_MERGE, LANES, MERGE, bend_heading, bend_phase, roads
from stmg_envs.merge.scene import MergeScene
from stmg_envs.merge.simulation import action_mask
from stmg_envs.merge.vehicles import LENGTH, WIDTH, Motion
from stmg_envs.protocol import Episodes, GameParallelEnv

NETWORK: RoadNetwork = make_network()
CPU = torch.device("cpu")
PLAIN = make_network(RoadNetwork, StraightLane, SineLane)
ID = "stmg/OnRampMerge-v0"

x_values = st.floats(-20, 540)
y_values = st.floats(-8, 14)
headings = st.floats(-4, 4)


def test_lanes_stand_where_they_stand_in_the_network() -> None:
    lanes, network = roads(CPU), NETWORK.lanes_dict()
    assert tuple(network) == LANES
    for index, lane in enumerate(network.values()):
        end = lane.position(lane.length, 0)
        assert float(lanes.start[index]) == lane.position(0, 0)[0]
        assert float(lanes.end[index]) == end[0] == lane.start[0] + lane.length
        following = NETWORK.next_lane(LANES[index], position=end)
        section = lanes.section(torch.tensor(end[0], dtype=torch.float64))
        assert LANES[int(lanes.follow(torch.tensor(index), section))] == following
        sides = [side for side in NETWORK.side_lanes(LANES[index]) if not network[side].forbidden]
        assert sides == ([LANES[BESIDE_MERGE]] if index == MERGE else [])


@given(x_values, y_values, headings)
def test_the_faster_network_says_the_same(x: float, y: float, heading: float) -> None:
    place = np.array([x, y])
    for lane, other in zip(NETWORK.lanes_list(), PLAIN.lanes_list(), strict=True):
        assert type(lane) is not type(other)
        assert lane.local_coordinates(place) == pytest.approx(other.local_coordinates(place), abs=1e-12)
        assert lane.heading_at(x) == pytest.approx(other.heading_at(x), abs=1e-15)
    distances = [lane.distance_with_heading(place, heading) for lane in PLAIN.lanes_list()]
    closest = PLAIN.get_lane(NETWORK.get_closest_lane_index(place, heading))
    assert closest.distance_with_heading(place, heading) == pytest.approx(min(distances), abs=1e-12)
    assert NETWORK.get_closest_lane_index(place) == PLAIN.get_closest_lane_index(place)


@given(x_values, y_values, headings)
def test_places_on_lanes(x: float, y: float, heading: float) -> None:
    lanes = roads(CPU)
    place_x, place_y = (torch.full((1, 1), value, dtype=torch.float64) for value in (x, y))
    phase = bend_phase(place_x)
    offsets = lanes.offsets(place_y, phase)
    aside = offsets.abs()
    lane = int(lanes.closest(place_x, torch.full_like(place_x, heading), aside, bend_heading(phase)))
    network = list(NETWORK.lanes_dict().values())
    distances = [one.distance_with_heading(np.array([x, y]), heading) for one in network]
    assert distances[lane] == pytest.approx(min(distances), abs=1e-12)
    section = lanes.section(place_x)
    covering = int(lanes.covering(section, aside))
    for index, one in enumerate(network):
        along, across = one.local_coordinates(np.array([x, y]))
        assert float(offsets[index]) == pytest.approx(across, abs=1e-12)
        if abs(abs(across) - 3) > 1e-9:
            assert bool(covering >> index & 1) == one.on_lane(np.array([x, y]), along, across, margin=1)
        followed = lanes.follow(torch.tensor([[index]]), section)
        if along <= one.length - 2.5:
            assert int(followed) == index
        elif along < one.length + 5:
            assert LANES[int(followed)] == NETWORK.next_lane(LANES[index], position=np.array([x, y]))
        reachable = index == MERGE and network[BESIDE_MERGE].is_reachable_from(np.array([x, y]))
        assert bool(lanes.opens(torch.tensor([[index]]), section, place_y)) == reachable
    # What human drivers rely on.
    if lane == MERGE:
        assert bool(lanes.opens(torch.tensor([[lane]]), section, place_y)) == (y <= 8)


@given(
    st.floats(-6, 6), st.floats(-4, 4), headings, headings, st.floats(-3, 3), st.floats(-3, 3), st.booleans()
)
def test_collisions_of_rectangles(
    x: float, y: float, heading: float, other_heading: float, shift: float, other_shift: float, square: bool
) -> None:
    sizes = ((LENGTH, WIDTH), (2.0, 2.0) if square else (LENGTH, WIDTH))
    sides, corners, shifts = [], [], []
    for place_x, place_y, angle, move, (length, width) in (
        (0.0, 0.0, heading, shift, sizes[0]),
        (x, y, other_heading, other_shift, sizes[1]),
    ):
        sides += [(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))]
        box = utils.rect_corners(np.array([place_x, place_y]), length, width, angle)
        corners.append(np.vstack([box, box[:1]]))
        shifts.append(move * np.array([math.cos(angle), math.sin(angle)]))
    between = torch.tensor([[[-x], [-y]], (shifts[0] - shifts[1])[:, None].tolist()], dtype=torch.float64)
    half = torch.tensor([[size / 2] for pair in sizes for size in pair], dtype=torch.float64)
    (touch, will_touch), push = overlaps(
        torch.tensor(sides, dtype=torch.float64).t()[..., None], half, between
    )
    wanted = utils.are_polygons_intersecting(*corners, *shifts)
    swapped = utils.are_polygons_intersecting(*(box + 1e-9 for box in corners[:1]), corners[1], *shifts)
    if wanted[:2] == swapped[:2]:  # else they graze
        assert (bool(touch), bool(will_touch)) == tuple(map(bool, wanted[:2]))
        if wanted[1]:
            assert float(push.norm()) == pytest.approx(np.linalg.norm(wanted[2]), abs=1e-9)


@pytest.fixture(scope="module")
def played() -> list[tuple[HighwayEnvGame, dict[str, torch.Tensor]]]:
    """States of many moments of random play at all densities."""
    states = []
    for density in (1, 2, 3):
        game = HighwayEnvGame(traffic_density=density, observe_id=False)
        episodes = Episodes(game, 1)
        generator = torch.Generator().manual_seed(density)
        for seed in range(4):
            episodes.reset(seed)
            over = False
            while not over:
                over = bool(episodes.step(torch.randint(5, (1, game.n), generator=generator)).done)
                states.append((game, dict(episodes.state)))
    return states[::3]


def test_observations_are_highway_envs_own(
    played: list[tuple[HighwayEnvGame, dict[str, torch.Tensor]]],
) -> None:
    assert len(played) > 100
    for game, state in played:
        stock = game.scene(unpack(state)).observation_type.observe()
        ours = state["observation"][0].unflatten(-1, (5, 5)).numpy()
        np.testing.assert_allclose(ours, np.stack(stock), rtol=0, atol=2e-7)


def test_masks_are_the_available_actions(
    played: list[tuple[HighwayEnvGame, dict[str, torch.Tensor]]],
) -> None:
    seen = set()
    for game, state in played:
        vehicles = unpack(state)
        mask = action_mask(vehicles, game.n)[..., 0]
        for agent, action in enumerate(game.scene(vehicles).action_type.agents_action_types):
            available = mask[:, agent].nonzero().flatten().tolist()
            assert available == sorted(action.get_available_actions())
            seen |= set(available)
    assert seen == {0, 1, 3, 4}


def test_a_state_says_all_there_is_to_know() -> None:
    """Vehicles that are written and read between decisions drive as those that are left alone."""
    game = HighwayEnvGame(traffic_density=3)
    episodes = Episodes(game, 1)
    for seed in range(3):
        episodes.reset(seed)
        alone = MergeScene(unpack(episodes.state), game.n)
        alone.road.network = PLAIN
        generator = torch.Generator().manual_seed(seed)
        over = False
        while not over:
            actions = torch.randint(5, (1, game.n), generator=generator)
            # From a snapshot, so that everything is written anew.
            episodes.restore(copy.deepcopy(episodes.snapshot()))
            over = bool(episodes.step(actions).done)
            alone.decide(actions[0].tolist())
            before = unpack(episodes.state)
            after = alone.read(before)
            for name, value in before.tensors().items():
                assert torch.equal(value, getattr(after, name)), name


def test_backends_give_the_same_episodes_for_a_seed() -> None:
    native, engine = (stmg_envs.parallel_env(ID, backend=backend) for backend in (None, "highway-env"))
    assert isinstance(native.game, OnRampMerge) and not isinstance(native.game, HighwayEnvGame)
    for seed in (3, None):
        seen, seen_too = native.reset(seed=seed)[0], engine.reset(seed=seed)[0]
        while native.agents:
            assert seen.keys() == seen_too.keys()
            for agent, observation in seen.items():
                assert native.observation_space(agent) == engine.observation_space(agent)
                np.testing.assert_allclose(observation, seen_too[agent], atol=1e-6)
            actions = dict.fromkeys(native.agents, 3)
            seen, paid, *_, infos = native.step(actions)
            seen_too, paid_too, *_, infos_too = engine.step(actions)
            assert paid == pytest.approx(paid_too, rel=1e-5)
            assert infos["agent_0"].keys() == infos_too["agent_0"].keys()
            assert native.agents == engine.agents


@pytest.mark.parametrize(
    "make",
    [
        stmg_envs.parallel_env,
        stmg_envs.aec_env,
        stmg_envs.turn_stream,
        lambda id, **arguments: gymnasium.make(id, **arguments).unwrapped,
        lambda id, **arguments: pettingzoo.make("aec", id, **arguments).unwrapped,
    ],
    ids=["parallel", "aec", "stream", "gymnasium", "pettingzoo"],
)
def test_every_view_has_the_backend(make: object) -> None:
    env = make(ID, backend="highway-env", traffic_density=2)  # type: ignore[operator]
    env.reset(seed=0)
    parallel = env if isinstance(env, GameParallelEnv) else env.parallel
    assert isinstance(parallel.game, HighwayEnvGame)


def test_a_batch_of_engines_keeps_what_they_say() -> None:
    arguments = {"traffic_density": 2, "num_agents": "random", "action_masking": True}
    batch = stmg_envs.vector_env(ID, 2, backend="highway-env", **arguments)
    observations, _ = batch.reset(seed=1)
    assert batch.priority.tolist() == [[0, 1, 2, 3]] * 2
    ended = 0
    for _ in range(110):
        graphs = np.stack([env.neighbors() for env in batch.envs])
        assert np.array_equal(batch.neighbors().numpy(), graphs)
        for slot, env in enumerate(batch.envs):
            told = env._episodes.observe()
            alive = told["alive"][0]
            assert torch.equal(observations["alive"][slot], alive)
            for name in ("observation", "action_mask"):
                assert torch.equal(observations[name][slot][alive], told[name][0][alive])
        actions = torch.where(observations["action_mask"][..., 3], 3, 1)
        observations, _, terminated, truncated, info = batch.step(actions)
        assert set(info["metrics"]) == {"crash_rate", "mean_speed", "merged", "time_to_merge"}
        for name, value in info["metrics"].items():
            assert value.dtype == torch.float32 and value.shape == (2,), name
        assert torch.equal(info["metrics"]["crash_rate"] > 0, terminated)
        ended += int((terminated | truncated).sum())
    assert ended > 0


def test_copies_drive_on_alike() -> None:
    env = stmg_envs.parallel_env(ID, backend="highway-env", render_mode="rgb_array")
    env.reset(seed=2)
    env.render()
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        original = copy.deepcopy(env)
        for _ in range(5):
            actions = dict.fromkeys(env.agents, 3)
            assert twin.step(actions)[1] == original.step(actions)[1]


def test_pictures_of_the_viewer_need_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    env = stmg_envs.parallel_env(ID, backend="highway-env", render_mode="rgb_array", traffic_density=3)
    env.reset(seed=0)
    pictures = []
    for _ in range(3):
        pictures.append(env.render())
        env.step(dict.fromkeys(env.agents, 1))
    assert pictures[0].shape == (180, 1040, 3) and pictures[0].dtype == np.uint8
    assert len(np.unique(pictures[0].reshape(-1, 3), axis=0)) > 5
    assert not np.array_equal(pictures[0], pictures[2])
    # Who decides first is written on the vehicles.
    before = env.render()
    env.priority = tuple(reversed(env.possible_agents))
    assert not np.array_equal(before, env.render())


def test_the_fork_is_none_of_highway_env() -> None:
    with pytest.raises(InvalidArgumentError, match=r"profile='marl_cavs'.*\['highway-env'\]"):
        stmg_envs.parallel_env(ID, backend="highway-env", profile="marl_cavs")


def test_vehicles_by_hand_are_where_they_are_put() -> None:
    vehicles = place([{"x": 350, "y": 4}, {"x": 350, "y": 0}, {"x": 100, "y": 10.5}, {"x": 460, "y": 0}])
    assert [LANES[lane][:2] for lane in vehicles.lane[:, 0].tolist()] == [
        ("b", "c"),
        ("b", "c"),
        ("j", "k"),
        ("c", "d"),
    ]
    assert Motion.of(vehicles).velocity[0].tolist() == [[0.0]] * 5
