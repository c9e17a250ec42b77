"""Limbs, observations, starts, threads and bad input of multi-agent MuJoCo."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from games import assert_same
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import stmg_envs
from stmg_envs.errors import InvalidArgumentError, MissingEngineError, UnknownNameError
from stmg_envs.mujoco import MultiAgentMujoco
from stmg_envs.mujoco.models import ASSETS, compiled, read
from stmg_envs.mujoco.scenarios import SCENARIOS
from stmg_envs.protocol import Episodes, GameVectorEnv, Streams

ID = "stmg/MultiAgentMujoco-v0"
ALL = [
    *((name, conf) for name, row in SCENARIOS.items() for conf in row.limbs.factorisations),
    ("ManySegmentSwimmer", "2x2"),
    ("ManySegmentAnt", "2x1"),
]
NAMES = ["-".join(pair) for pair in ALL]


def started(scenario: str, conf: str, obsk: int | None = 1, batch: int = 1) -> Episodes:
    episodes = Episodes(MultiAgentMujoco(scenario, conf, obsk), batch)
    episodes.reset(0)
    return episodes


def edges(scenario: str, conf: str) -> set[tuple[int, ...]]:
    graph = stmg_envs.parallel_env(ID, scenario=scenario, agent_conf=conf)
    graph.reset(seed=0)
    return {tuple(sorted(pair)) for pair in np.argwhere(graph.neighbors()).tolist()}


# --- limbs ---


@pytest.mark.parametrize(
    ("scenario", "conf", "expected"),
    [
        # The two thighs hang on one torso.
        ("HalfCheetah", "2x3", {(0, 1)}),
        # back thigh - shin - foot, front thigh - shin - foot, and thigh to thigh.
        ("HalfCheetah", "6x1", {(0, 1), (1, 2), (0, 3), (3, 4), (4, 5)}),
        # All four hips are on one torso.
        ("Ant", "4x2", {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}),
        ("Hopper", "3x1", {(0, 1), (1, 2)}),
        ("Pusher", "3p", {(0, 1), (1, 2)}),
        ("CoupledHalfCheetah", "1p1", {(0, 1)}),
        ("ManySegmentSwimmer", "4x2", {(0, 1), (1, 2), (2, 3)}),
        ("ManySegmentAnt", "3x2", {(0, 1), (1, 2)}),
    ],
)
def test_neighbours_share_a_hop(scenario: str, conf: str, expected: set[tuple[int, int]]) -> None:
    assert edges(scenario, conf) == expected


@pytest.mark.parametrize(("scenario", "conf"), ALL, ids=NAMES)
def test_every_actuator_has_one_agent(scenario: str, conf: str) -> None:
    game = MultiAgentMujoco(scenario, conf)
    model = game.simulation.model
    driven = [model.joint(joint).name for joint in model.actuator_trnid[:, 0]]
    assert sorted(joint for part in game.parts for joint in part) == sorted(driven)
    # Told a number each, all actuators get their own agent's.
    actions = torch.arange(game.n * game.action_width).view(1, game.n, -1).float()
    controls = game.controls(actions)[0]
    for agent, part in enumerate(game.parts):
        for index, joint in enumerate(part):
            assert controls[driven.index(joint)] == actions[0, agent, index]


@pytest.mark.parametrize(
    ("scenario", "bound"), [("HalfCheetah", 1.0), ("Humanoid", 0.4), ("Pusher", 2.0)], ids=str
)
def test_actions_have_the_bounds_of_the_actuators(scenario: str, bound: float) -> None:
    game = MultiAgentMujoco(scenario, next(iter(SCENARIOS[scenario].limbs.factorisations)))
    for space in game.action_spaces:
        assert (space.high == np.float32(bound)).all() and (space.low == -np.float32(bound)).all()


# --- observations ---


def test_a_half_cheetah_as_its_agents_see_it() -> None:
    # Positions: x, z, pitch; back thigh, shin, foot; front thigh, shin, foot. Velocities: ten times as much.
    game = MultiAgentMujoco("HalfCheetah", "2x3", agent_obsk=1)
    qpos = np.array([[9.0, 0.1, 0.2, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    state = game.state(game.simulation.start(qpos, 10 * qpos))
    back, front = game.observe(state)[0].tolist()
    body = [0.1, 0.2, 90, 1, 2]
    # Own joints by name, position and velocity: foot, shin, thigh; then the other thigh; then the body.
    assert back == pytest.approx([3, 30, 2, 20, 1, 10, 4, *body])
    assert front == pytest.approx([6, 60, 5, 50, 4, 40, 1, *body])
    assert game.global_state(state)[0].tolist() == pytest.approx([*qpos[0, 1:], *(10 * qpos[0])])


@pytest.mark.parametrize(
    ("hops", "others"), [(0, []), (1, [4.0]), (2, [4.0, 5.0]), (3, [4.0, 5.0, 6.0]), (9, [4.0, 5.0, 6.0])]
)
def test_hops(hops: int, others: list[float]) -> None:
    game = MultiAgentMujoco("HalfCheetah", "2x3", agent_obsk=hops)
    qpos = np.arange(-2.0, 7.0)[None]
    back = game.observe(game.state(game.simulation.start(qpos, 0 * qpos)))[0, 0].tolist()
    assert back[6 : 6 + len(others)] == others
    assert len(back) == 6 + len(others) + 5


def test_who_sees_less_gets_zeros_at_the_end() -> None:
    # The middle joint has two neighbours, the outer ones have one.
    views = started("Hopper", "3x1").observe()["observation"][0]
    assert views[1, -1] != 0
    assert (views[[0, 2], -1] == 0).all() and (views[[0, 2], -2] != 0).all()


@pytest.mark.parametrize(("scenario", "conf"), ALL, ids=NAMES)
def test_full_observations_are_the_state_and_an_id(scenario: str, conf: str) -> None:
    episodes = started(scenario, conf, obsk=None, batch=2)
    seen, state, n = episodes.observe()["observation"], episodes.observe()["state"], episodes.game.n
    assert torch.equal(seen[..., :-n], state[:, None].expand(-1, n, -1))
    assert torch.equal(seen[..., -n:], torch.eye(n).expand(2, n, n))


# --- the tendon ---


def test_the_tendon_between_the_cheetahs() -> None:
    """Its length and how it lengthens, from where the torsos are: 2 m apart, and moved along x and z."""
    game = MultiAgentMujoco("CoupledHalfCheetah", "1p1")
    model = game.simulation.model
    qpos, qvel = np.zeros((1, model.nq)), np.zeros((1, model.nv))
    first, second = (0.3, 0.1), (-0.6, 0.5)
    qpos[0, [0, 1]], qpos[0, [9, 10]] = first, second
    qvel[0] = np.arange(18)
    dx, dz = second[0] - first[0], second[1] - first[1]
    length = np.sqrt(dx**2 + 2**2 + dz**2)
    pull = np.array([-dx, -dz, dx, dz]) / length
    state = game.global_state(game.state(game.simulation.start(qpos, qvel)))[0].tolist()
    expected = [*pull, length, pull @ [0, 1, 9, 10]]
    assert state[-6:] == pytest.approx(expected, abs=1e-6)

    # MuJoCo's own derivative, which it stores by the velocities that matter.
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = qpos[0], qvel[0]
    mujoco.mj_forward(model, data)
    stored = np.asarray(data.ten_J).ravel()
    places = np.asarray(model.ten_J_colind).ravel()
    dense = np.zeros(model.nv)
    dense[places[: len(stored)]] = stored
    np.testing.assert_allclose(dense[[0, 1, 9, 10]], pull, atol=1e-12)


def test_coupled_cheetahs_are_rewarded_as_two_in_the_mean() -> None:
    pair, single = started("CoupledHalfCheetah", "1p1"), MultiAgentMujoco("HalfCheetah", "2x3")
    before = pair.state
    generator = torch.Generator().manual_seed(0)
    actions = torch.rand(1, 2, 6, generator=generator) * 2 - 1
    outcome = pair.game.step(before, actions, Streams.from_seeds([0]))
    reward = 0.0
    for index in range(2):
        moved = float(outcome.state["qpos"][0, 9 * index] - before["qpos"][0, 9 * index])
        reward += (moved / single.duration - 0.1 * float((actions[0, index] ** 2).sum())) / 2
    assert outcome.rewards[0].tolist() == pytest.approx([reward, reward], rel=1e-5)


def test_models_without_the_deprecated_mass_are_the_same(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its warning to a file
    theirs = mujoco.MjModel.from_xml_path(str(ASSETS / "half_cheetah.xml"))
    ours = compiled(read("half_cheetah.xml"))
    for name in ("body_mass", "body_inertia", "dof_M0", "dof_invweight0", "body_invweight0", "geom_rbound"):
        np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))


# --- starts ---


@pytest.mark.parametrize(("scenario", "conf"), ALL, ids=NAMES)
def test_starts_are_where_gymnasium_starts(scenario: str, conf: str) -> None:
    game = MultiAgentMujoco(scenario, conf)
    state = game.reset(Streams.from_seeds(range(64)))
    moved = (state["qpos"] - torch.from_numpy(game.simulation.model.qpos0)).abs()
    start = game.scenario.start
    if scenario == "Pusher":
        place = state["qpos"][:, -4:-2]
        assert (place.norm(dim=1) > 0.17).all() and (place[:, 0] < 0).all() and (place.abs() < 0.3).all()
        assert not moved[:, :-4].any() and not state["qvel"][:, -4:].any()
    elif scenario == "Reacher":
        assert (state["qpos"][:, -2:].norm(dim=1) < 0.2).all() and not state["qvel"][:, -2:].any()
        assert (moved[:, :2] < 0.1).all()
    else:
        scale = start.scale  # type: ignore[attr-defined]
        assert (moved < scale).all() and moved.max() > 0.9 * scale
        spread = float(state["qvel"].std())
        normal = start.velocity == "normal"  # type: ignore[attr-defined]
        assert spread == pytest.approx(scale if normal else scale / 3**0.5, rel=0.1)


def test_time_limits_truncate() -> None:
    env = stmg_envs.parallel_env(ID, scenario="Reacher", agent_conf="2x1", max_steps=3)
    env.reset(seed=0)
    for step in range(3):
        _, _, terminations, truncations, _ = env.step(dict.fromkeys(env.agents, np.zeros(1, np.float32)))
        assert set(terminations.values()) == {False} and set(truncations.values()) == {step == 2}


# --- one simulation does not depend on others ---


@pytest.mark.parametrize("scenario", ["HalfCheetah", "Ant", "Humanoid"])
def test_threads_give_the_same_numbers(scenario: str) -> None:
    conf = next(iter(SCENARIOS[scenario].limbs.factorisations))

    def play(threads: int) -> list[Any]:
        env = stmg_envs.vector_env(ID, 5, scenario=scenario, agent_conf=conf, threads=threads)
        env.reset(seed=3)
        generator = torch.Generator().manual_seed(0)
        shape = (5, len(env.agents), env.game.action_width)
        return [env.step(torch.rand(shape, generator=generator) * 2 - 1) for _ in range(60)]

    assert_same(play(1), play(3))


@settings(max_examples=10)
@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=4, unique=True),
    st.integers(0, 3),
    st.sampled_from(["HalfCheetah", "Ant", "CoupledHalfCheetah"]),
)
def test_a_slot_is_an_environment_of_its_own(seeds: list[int], slot: int, scenario: str) -> None:
    slot %= len(seeds)
    conf = next(iter(SCENARIOS[scenario].limbs.factorisations))
    batch, single = (GameVectorEnv(MultiAgentMujoco(scenario, conf), size) for size in (len(seeds), 1))
    batch.reset(seed=seeds)
    single.reset(seed=[seeds[slot]])
    generator = torch.Generator().manual_seed(slot)
    for _ in range(15):
        actions = torch.rand(len(seeds), batch.game.n, batch.game.action_width, generator=generator) * 2 - 1
        seen, rewards, *_ = batch.step(actions)
        seen_alone, rewards_alone, *_ = single.step(actions[slot : slot + 1])
        assert_same(
            {name: value[slot] for name, value in seen.items()},
            {name: value[0] for name, value in seen_alone.items()},
        )
        assert torch.equal(rewards[slot], rewards_alone[0])


def test_one_game_serves_batches_of_any_size() -> None:
    game = MultiAgentMujoco("Ant", "4x2")
    sizes = [2, 5, 1, 3]
    fresh = [GameVectorEnv(MultiAgentMujoco("Ant", "4x2"), size) for size in sizes]
    shared = [GameVectorEnv(game, size) for size in sizes]
    for env in (*fresh, *shared):
        env.reset(seed=1)
    for _ in range(10):
        for one, other in zip(fresh, shared, strict=True):
            actions = torch.linspace(-1, 1, one.num_envs * 8).view(one.num_envs, 4, 2)
            assert_same(one.step(actions), other.step(actions))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda game: pickle.loads(pickle.dumps(game))])
def test_copies_play_on(twin: Any) -> None:
    game = MultiAgentMujoco("Humanoid", "9|8")
    state = game.reset(Streams.from_seeds([0, 1]))
    actions = torch.full((2, 2, 9), 0.1)
    state = game.step(state, actions, Streams.from_seeds([0, 1])).state
    outcomes = [player.step(state, actions, Streams.from_seeds([0, 1])) for player in (game, twin(game))]
    assert_same(outcomes[0].state, outcomes[1].state)


# --- pictures ---


def test_agents_have_colours_in_pictures() -> None:
    env = stmg_envs.parallel_env(ID, render_mode="rgb_array", priority=["agent_1", "agent_0"])
    env.reset(seed=0)
    picture = np.asarray(Image.fromarray(env.render()).convert("HSV"), dtype=int)
    hue, saturation = picture[..., 0], picture[..., 1]
    body = saturation[60:] > 150
    blue, orange = ((hue[60:] > 130) & (hue[60:] < 160)), ((hue[60:] > 10) & (hue[60:] < 30))
    assert (body & blue).sum() > 100 and (body & orange).sum() > 100


def test_text_goes_by_priority() -> None:
    env = stmg_envs.parallel_env(ID, render_mode="ansi", priority=["agent_1", "agent_0"])
    env.reset(seed=0)
    lines = env.render().splitlines()
    assert [line.split()[0] for line in lines] == ["nobody's", "agent_1", "agent_0"]
    assert lines[1].split()[1::2] == ["fthigh", "fshin", "ffoot"]


def test_without_opengl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "nothing")
    env = stmg_envs.parallel_env(ID, render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(MissingEngineError, match=r"MUJOCO_GL='nothing'.*apt-get install libegl1"):
        env.render()


# --- bad input ---


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"scenario": "HalfCheeta"}, UnknownNameError, "'HalfCheeta'.*did you mean 'HalfCheetah'"),
        ({"scenario": "xyzzy"}, UnknownNameError, "'xyzzy'.*expected one of.*'Ant'"),
        ({"scenario": None}, InvalidArgumentError, "scenario=None is no text"),
        ({"agent_conf": "3x2"}, InvalidArgumentError, r"agent_conf='3x2'.*\['2x3', '6x1'\]"),
        ({"agent_conf": 23}, InvalidArgumentError, "agent_conf=23"),
        ({"scenario": "ManySegmentAnt", "agent_conf": "2"}, InvalidArgumentError, "'2'.*instance '5x2'"),
        ({"scenario": "ManySegmentAnt", "agent_conf": "1x1"}, InvalidArgumentError, "'1x1'.*two segments"),
        ({"agent_obsk": -1}, InvalidArgumentError, "agent_obsk=-1.*>= 0"),
        ({"agent_obsk": 1.5}, InvalidArgumentError, r"agent_obsk=1\.5"),
        ({"max_steps": 0}, InvalidArgumentError, "max_steps=0"),
        ({"threads": 0}, InvalidArgumentError, "threads=0.*>= 1"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    for make in (stmg_envs.make_game, stmg_envs.parallel_env):
        with pytest.raises(error, match=message):
            make(ID, **arguments)
