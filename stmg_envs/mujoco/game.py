"""Multi-agent MuJoCo: one body, several agents that each move some of its joints."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import require_count
from stmg_envs.mujoco.features import Layout
from stmg_envs.mujoco.models import compiled
from stmg_envs.mujoco.rendering import Picture, write
from stmg_envs.mujoco.rewards import Motion
from stmg_envs.mujoco.scenarios import find_scenario
from stmg_envs.mujoco.simulation import STATE, Array, Fields, Simulation
from stmg_envs.protocol import Game, Outcome, State, Streams


class MultiAgentMujoco(Game):
    r"""The joints of a MuJoCo body are divided among agents that share its reward.

    The scenarios and factorisations of MaMuJoCo (Peng et al. 2021, "FACMAC"; gymnasium-robotics) on
    Gymnasium's v5 tasks, which they follow step for step. Published results are mostly on the v2 tasks and on
    other releases of MuJoCo; the ant's motion differs visibly from release to release.

    | Scenario                 | `agent_conf`     | Reward                                | Steps |
    |--------------------------|------------------|---------------------------------------|-------|
    | HalfCheetah              | 2x3, 6x1         | forward, control                      | 1000  |
    | CoupledHalfCheetah       | 1p1              | mean of two half cheetahs on a tendon | 1000  |
    | Ant                      | 2x4, 2x4d, 4x2   | forward, alive, control, contact      | 1000  |
    | Hopper                   | 3x1              | forward, alive, control               | 1000  |
    | Walker2d                 | 2x3, 6x1         | forward, alive, control               | 1000  |
    | Humanoid                 | 9\|8, 17x1       | forward, alive, control, contact      | 1000  |
    | HumanoidStandup          | 9\|8, 17x1       | height, control, contact              | 1000  |
    | Reacher                  | 2x1              | distance, control                     | 50    |
    | Pusher                   | 3p               | distances, control                    | 100   |
    | Swimmer                  | 2x1              | forward, control                      | 1000  |
    | ManySegmentSwimmer       | agents x joints  | forward, control                      | 1000  |
    | ManySegmentAnt           | agents x segments | forward, alive, control, contact     | 1000  |

    | Space       | Each agent                                                                        |
    |-------------|-----------------------------------------------------------------------------------|
    | Action      | Box(low, high, (joints,)): what the actuators of its joints are told              |
    | Observation | Box(-inf, inf, (obs_dim,)), in one of two modes                                   |
    | State       | Box(-inf, inf, (state_dim,)): the observation of Gymnasium's task                 |

    Bounds of actions are the actuators': 1, for humanoids 0.4, for the pusher 2. MuJoCo clips what is beyond
    them; the control cost, as Gymnasium's, counts all of it. In batches, the actions of agents with fewer
    joints than others are filled up with numbers that do nothing.

    **Observations, k-hop** (`agent_obsk` = k). Of its own joints, an agent sees positions and velocities, the
    ant's and the humanoid's also forces and inertia of the bodies at them; of joints that are up to k hops
    away, their positions; and of the whole body, height, orientation and velocity. These are MaMuJoCo's
    numbers in MaMuJoCo's order, with zeros at the end for agents that see less than others.

    **Observations, full** (`agent_obsk` = None). The state and the agent's one-hot id.

    **Differences from MaMuJoCo.** Coupled half cheetahs work with MuJoCo 3.6 and later, and each cheetah sees
    its own joints (theirs shows both of them those of the second). In ManySegmentAnt agents see and move
    their own joints (theirs shows others', and takes each action for the other leg of its segment), and hips
    see both neighbouring segments. Without `agent_obsk`,
    theirs has a single agent.

    **Rewards.** Everybody gets the reward of Gymnasium's task; its terms are metrics.

    **Metrics.** `reward_forward`, `reward_ctrl` and so on: Gymnasium's terms, whose sum is the reward.

    **Episode end.** Terminates when Ant, Hopper, Walker2d or Humanoid is not healthy: when it has fallen.
    Truncates after `max_steps`.

    **Neighbours.** Agents that have joints within one hop of each other; the two coupled half cheetahs.

    **Start.** Gymnasium's distributions, drawn from this project's streams: the same seed gives other first
    states than Gymnasium's.

    **Pictures** need OpenGL without a screen: EGL (Debian: `libegl1 libgl1-mesa-dri`) on Linux, or what the
    environment variable `MUJOCO_GL` names.

    **Speed.** A batch is stepped at once on one or more `threads`, without the interpreter's lock.

    Args:
        scenario: a name of the table.
        agent_conf: one of its factorisations.
        agent_obsk: k for k-hop observations, None for the full state.
        max_steps: time limit; None for the scenario's own.
        threads: how many of them step a batch. Results do not depend on it.

    Raises:
        UnknownNameError: for an unknown scenario.
        InvalidArgumentError: for a factorisation that the scenario does not have, or a number out of range.

    **Version history.** v0: first version, with MuJoCo 4.0.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 20}

    def __init__(
        self,
        scenario: str = "HalfCheetah",
        agent_conf: str = "2x3",
        agent_obsk: int | None = 1,
        max_steps: int | None = None,
        threads: int = 1,
    ) -> None:
        if agent_obsk is not None:
            require_count("agent_obsk", agent_obsk, low=0)
        if max_steps is not None:
            require_count("max_steps", max_steps, low=1)
        require_count("threads", threads, low=1)
        self.scenario = found = find_scenario(scenario, agent_conf)
        self.max_steps = found.max_steps if max_steps is None else max_steps
        self.parts = found.limbs.factorisations[agent_conf]
        self.agents = tuple(f"agent_{index}" for index in range(len(self.parts)))
        self.simulation = Simulation(compiled(found.model()), found.frame_skip, found.fields, threads)
        model = self.simulation.model
        self.duration = model.opt.timestep * found.frame_skip

        driven = [model.joint(joint).name for joint in model.actuator_trnid[:, 0]]
        actuators = [[driven.index(joint) for joint in part] for part in self.parts]
        self.action_spaces = tuple(
            Box(*model.actuator_ctrlrange[own].T.astype(np.float32), dtype=np.float32) for own in actuators
        )
        # Where in the flat joint action each actuator's number stands.
        self._movers = np.empty(model.nu, dtype=np.intp)
        for agent, own in enumerate(actuators):
            self._movers[own] = agent * self.action_width + np.arange(len(own))
        resting = self.simulation.start(model.qpos0[None], np.zeros((1, model.nv)))
        self._lasting = tuple(dict.fromkeys((*STATE, *found.reward.remembered)))
        self._layout = Layout(model, found.view, resting)
        columns = (
            self._layout.whole(self.n)
            if agent_obsk is None
            else self._layout.local(found.limbs, self.parts, agent_obsk)
        )
        self._seen = torch.from_numpy(columns)
        self._seen_by_all = torch.from_numpy(self._layout.state())
        self.observation_space = _unbounded(self._seen.shape[1])
        self.state_space = _unbounded(len(self._seen_by_all))
        self._neighbors = torch.from_numpy(found.limbs.neighbors(self.parts))
        self._picture: Picture | None = None

    def reset(self, streams: Streams) -> State:
        fields = self.simulation.start(*self.scenario.start(self.simulation.model, streams))
        return self.state(fields, streams.keys.device)

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        before, action = _arrays(state), self.controls(actions)
        after = self.simulation.step(before, action)
        motion = Motion(self.simulation.model, self.duration, before, after, action)
        terms, failed = self.scenario.reward(motion)
        worth = np.stack([*terms.values(), sum(terms.values())]).astype(np.float32)
        paid = np.repeat(worth[-1:].T, self.n, axis=1)
        return Outcome(
            self.state(after, actions.device),
            torch.from_numpy(paid).to(actions.device),
            torch.from_numpy(failed).to(actions.device),
            dict(zip(terms, torch.from_numpy(worth[:-1]).to(actions.device), strict=True)),
        )

    def state(self, fields: Fields, device: torch.device | str = "cpu") -> State:
        """What lasts of a simulation: what its next step and reward depend on, and what is seen of it."""
        lasting = {name: torch.from_numpy(fields[name]).to(device) for name in self._lasting}
        return {**lasting, "row": torch.from_numpy(self._layout.row(fields)).to(device)}

    def controls(self, actions: Tensor) -> Array:
        """What every actuator is told by actions (B, n, joints), (B, nu)."""
        return actions.cpu().numpy().reshape(len(actions), -1)[:, self._movers].astype(np.float64)

    def observe(self, state: State) -> Tensor:
        return state["row"][:, self._seen.to(state["row"].device)]

    def global_state(self, state: State) -> Tensor:
        return state["row"][:, self._seen_by_all.to(state["row"].device)]

    def neighbors(self, state: State) -> Tensor:
        graph = self._neighbors.to(state["qpos"].device)
        return graph.expand(len(state["qpos"]), self.n, self.n)

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        order = tuple(range(self.n)) if priority is None else priority
        first = {name: values[:1] for name, values in _arrays(state).items()}
        if mode == "ansi":
            return write(self.simulation.model, self.parts, first, order)
        if self._picture is None:
            self._picture = Picture(self.simulation.model, self.parts, self.scenario.camera)
        return self._picture.draw(first, order)

    def __getstate__(self) -> dict[str, Any]:
        # An OpenGL context cannot be copied, and can be made again.
        return {**vars(self), "_picture": None}


def _unbounded(width: int) -> Box:
    return Box(-np.inf, np.inf, (width,), np.float32)


def _arrays(state: State) -> dict[str, Array]:
    return {name: values.cpu().numpy() for name, values in state.items()}
