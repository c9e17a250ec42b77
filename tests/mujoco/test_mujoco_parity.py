"""Every scenario and factorisation against gymnasium-robotics' MaMuJoCo, step for step."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from stmg_envs.mujoco import MultiAgentMujoco
from stmg_envs.mujoco.rewards import Motion
from stmg_envs.mujoco.scenarios import SCENARIOS
from stmg_envs.protocol import State, Streams

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import gymnasium_robotics
    from gymnasium_robotics import mamujoco_v1

FALLING = {"Ant", "Hopper", "Walker2d", "Humanoid"}
"""Where the random policy soon falls."""

STEPS = 150
EPISODES = 3

CONFIGURATIONS = [
    *(
        (name, conf)
        for name, scenario in SCENARIOS.items()
        for conf in scenario.limbs.factorisations
        # Theirs does not run on this MuJoCo; theirs does not have these.
        if name != "CoupledHalfCheetah" and (name, conf) != ("Walker2d", "6x1") and conf != "17x1"
    ),
    ("ManySegmentSwimmer", "2x1"),
    ("ManySegmentSwimmer", "6x2"),
    ("ManySegmentAnt", "2x1"),
    ("ManySegmentAnt", "3x2"),
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Theirs makes MuJoCo write warnings to a file where it runs.
    monkeypatch.chdir(tmp_path)


def theirs(scenario: str, conf: str, obsk: int) -> Any:
    return mamujoco_v1.parallel_env(scenario=scenario, agent_conf=conf, agent_obsk=obsk)


def put(game: MultiAgentMujoco, env: Any) -> State:
    """Our state where their environment stands after a reset."""
    data = env.single_agent_env.unwrapped.data
    return game.state(game.simulation.start(data.qpos[None].copy(), data.qvel[None].copy()))


def exact_reward(game: MultiAgentMujoco, state: State, actions: torch.Tensor) -> float:
    """The reward of a step before it is rounded to float32."""
    before = {name: values.numpy() for name, values in state.items()}
    controls = game.controls(actions)
    after = game.simulation.step(before, controls)
    terms, _ = game.scenario.reward(Motion(game.simulation.model, game.duration, before, after, controls))
    return float(sum(terms.values()).item())


def random_actions(game: MultiAgentMujoco, rng: np.random.Generator) -> torch.Tensor:
    """Actions (1, n, joints), also beyond the bounds: the cost counts what the motors do not do."""
    high = game.action_spaces[0].high[0]
    drawn = rng.uniform(-1.25 * high, 1.25 * high, (1, game.n, game.action_width))
    return torch.from_numpy(drawn).float()


def swapped_legs(row: np.ndarray) -> np.ndarray:
    """What theirs has to be told for ManySegmentAnt: it takes the action of either leg for the other."""
    return row.reshape(-1, 2, 2)[:, ::-1].reshape(-1)


def assert_same_observations(game: MultiAgentMujoco, state: State, env: Any, views: dict[str, Any]) -> None:
    np.testing.assert_array_equal(game.global_state(state)[0].numpy(), env.state().astype(np.float32))
    for row, agent in zip(game.observe(state)[0].numpy(), game.agents, strict=True):
        view = views[agent].astype(np.float32)
        if type(env.single_agent_env.unwrapped).__name__ == "PusherEnv":
            # Theirs gives two joints of the shoulder one name, and shows them in no fixed order.
            row, view = np.sort(row[: len(view)]), np.sort(view)
        assert not row[len(view) :].any()
        np.testing.assert_array_equal(row[: len(view)], view)


@pytest.mark.parametrize(("scenario", "conf"), CONFIGURATIONS, ids=map("-".join, CONFIGURATIONS))
def test_every_step_is_that_of_mamujoco(scenario: str, conf: str) -> None:
    ended = False
    for seed in range(EPISODES):
        env, game = theirs(scenario, conf, obsk=seed), MultiAgentMujoco(scenario, conf, agent_obsk=seed)
        assert game.max_steps == env.single_agent_env.spec.max_episode_steps
        assert [space.shape for space in game.action_spaces] == [
            env.action_space(agent).shape for agent in game.agents
        ]
        views, _ = env.reset(seed=seed)
        state = put(game, env)
        rng = np.random.default_rng(seed)
        for _ in range(STEPS):
            if scenario != "ManySegmentAnt":  # whose joints theirs takes from the wrong places
                assert_same_observations(game, state, env, views)
            actions = random_actions(game, rng)
            joint = {
                agent: actions[0, index, : space.shape[0]].numpy()
                for index, (agent, space) in enumerate(zip(game.agents, game.action_spaces, strict=True))
            }
            if scenario == "ManySegmentAnt":
                joint = {agent: swapped_legs(row) for agent, row in joint.items()}
            views, rewards, terminations, _, _ = env.step(joint)
            outcome = game.step(state, actions, Streams.from_seeds([0]))
            data = env.single_agent_env.unwrapped.data
            np.testing.assert_array_equal(outcome.state["qpos"][0].numpy(), data.qpos)
            np.testing.assert_array_equal(outcome.state["qvel"][0].numpy(), data.qvel)
            reward = exact_reward(game, state, actions)
            np.testing.assert_allclose(reward, rewards["agent_0"], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(outcome.rewards, np.full((1, game.n), reward), rtol=1e-6)
            assert bool(outcome.terminated[0]) == terminations["agent_0"]
            state = outcome.state
            if terminations["agent_0"]:
                ended = True
                break
        env.close()
    assert ended == (scenario in FALLING) or scenario == "ManySegmentAnt"


def test_coupled_cheetahs_move_as_theirs() -> None:
    """Their model file works, though their environment does not: MuJoCo steps it as it steps ours."""
    folder = Path(gymnasium_robotics.__file__).parent / "envs" / "multiagent_mujoco" / "assets"
    model = mujoco.MjModel.from_xml_path(str(folder / "coupled_half_cheetah.xml"))
    game = MultiAgentMujoco("CoupledHalfCheetah", "1p1")
    state = game.reset(Streams.from_seeds([0]))
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = state["qpos"][0].numpy(), state["qvel"][0].numpy()
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        actions = random_actions(game, rng)
        data.ctrl[:] = actions.flatten().numpy()
        mujoco.mj_step(model, data, nstep=5)
        state = game.step(state, actions, Streams.from_seeds([0])).state
        np.testing.assert_array_equal(state["qpos"][0].numpy(), data.qpos)
        np.testing.assert_array_equal(state["qvel"][0].numpy(), data.qvel)
        length, velocity = game.global_state(state)[0, -2:].tolist()
        assert (length, velocity) == (np.float32(data.ten_length[0]), np.float32(data.ten_velocity[0]))
