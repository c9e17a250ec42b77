"""On-ramp merging as a game: who drives, what it sees, what it is paid, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import require_choice, require_count, require_flag
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.merge.neighbors import neighbors
from stmg_envs.merge.observations import FEATURES, SEEN, Sight, observe
from stmg_envs.merge.profiles import PROFILES, Profile
from stmg_envs.merge.rendering import draw, write
from stmg_envs.merge.rewards import RewardMode, own_rewards, share, total
from stmg_envs.merge.simulation import ACTIONS, TICKS, action_mask, advance
from stmg_envs.merge.spawning import PLACES, Crowd, spawn
from stmg_envs.merge.supervisor import supervise
from stmg_envs.merge.vehicles import TICK, Vehicles
from stmg_envs.protocol import Game, Outcome, State, Streams, number

TRAFFIC: dict[int, tuple[int, int]] = {1: (1, 3), 2: (2, 4), 3: (3, 5)}
"""Numbers of human drivers at each traffic density, both included."""

RANDOM_AGENTS: dict[int, tuple[int, int]] = {1: (1, 3), 2: (2, 4), 3: (4, 6)}
"""Numbers of agents at each traffic density where they are random."""

FARTHEST = 1000.0
"""A bound of what is observed: no vehicle comes as far at 40 m/s, whatever way, in the longest episode."""

LONGEST = 1000
"""Decisions of the longest episode."""


class OnRampMerge(Game):
    """Connected vehicles and human drivers merge from a ramp into a highway.

    Agents drive vehicles in mixed traffic on a through lane and a ramp. The ramp's lane runs beside
    the through lane for 100 m and then ends at an obstacle: who comes from the ramp must find a gap
    there, and who drives on the through lane may open one. (Chen et al. 2021, "Deep Multi-agent
    Reinforcement Learning for Highway On-Ramp Merging in Mixed Traffic"; STEER's and STEP's highway task.)

    | Space       | Each of n agents                                                              |
    |-------------|-------------------------------------------------------------------------------|
    | Action      | Discrete(5): change to the left lane, idle, to the right lane, faster, slower |
    | Observation | Box(-1000, 1000, (25 + n,)), without `observe_id` (25,), see below            |
    | State       | Box(-1000, 1000, (n (25 + n),)): the observations of all agents               |

    | Observation       | Numbers                                                                 |
    |-------------------|-------------------------------------------------------------------------|
    | 0-4               | 1, own x / 150 m, y / 12 m, and velocity along them / 45 m/s            |
    | 5 per vehicle     | the same of the 4 nearest within 180 m, from one's own; 0 if there is none |
    | the last n        | own index, one-hot (with `observe_id`)                                  |

    **Road.** The through lane is y = 0, x from 0 to 520 m. The ramp is y = 10.5 m, bends down from x = 220 m
    to 320 m, and is the merge lane y = 4 m until the obstacle at 420 m. Nobody may leave the through lane.

    **Dynamics.** Those of highway-env 1.12.1, step for step: a decision takes three ticks of 1/15 s.
    Faster and slower choose the target speed above or below the present speed among 10, 15, 20, 25 and
    30 m/s. Human drivers keep their distance and change lanes by rules (`stmg_envs.merge.traffic`).

    **Traffic.** Density 1, 2 and 3 have 2, 3 and 4 agents and 1-3, 2-4 and 3-5 human drivers. Half of
    both, rounded down, start on the through lane and the others on the ramp, within 1.5 m of one of 6 places
    40 m apart, at 25-27 m/s. The first agents are those of the through lane: by default they lead.

    **Rewards.** Own reward: -200 for having crashed, + (v - 10) / 20 between 0 and 1, + 4 min(0,
    log(d / 1.2 v)) with d the distance to the vehicle ahead in the same or the next lane, 60 m at most, and
    on the merge lane - 4 exp(-(x - 420)^2 / 1000). By default an agent gets the mean over itself and its
    neighbours.

    **Metrics.** `crash_rate`: 1 if an agent has crashed. `mean_speed`: over agents and decisions so far, m/s.
    `merged`: share of the agents of the ramp that have come to the through lane and have not crashed.
    `time_to_merge`: mean time they took, seconds; that of an agent that has not merged is the time limit.

    **Episode end.** Terminates when an agent crashes; truncates after `max_steps` decisions (20 s).

    **Neighbours.** The agents next to each other on a road, with no human driver between, and those next to
    each other across the two roads where these run side by side, within 180 m; if one notices the other.

    Args:
        traffic_density: 1, 2 or 3.
        num_agents: how many agents there are; one more than the density by default, as in STEER. "random"
            draws 1-3, 2-4 or 4-6 in every episode, as Chen et al. do; absent agents are not alive.
        reward_mode: "own", "regional" or "global" (the mean over all agents).
        action_masking: allow only what highway-env calls available: idling, a change to an open lane within
            reach, faster unless the target speed is the highest, slower unless it is the lowest.
        safety_supervisor: replace actions that are about to crash (`stmg_envs.merge.supervisor`). The
            published scripts leave it on; a step takes 10 to 40 times as long with it.
        profile: "highway-env", or "marl_cavs" for the papers' fork (`stmg_envs.merge.profiles`).
        observe_id: show agents their index, as STEER does.
        max_steps: time limit, decisions.

    Raises:
        InvalidArgumentError: for an argument out of range.

    **Differences from the papers' fork of highway-env.** By default collisions and lane changes are those of
    highway-env 1.12.1; with "marl_cavs" they are the fork's, but that rectangles are tested exactly and
    not by their corners. Each agent has an action mask of its own, where the fork gives all the union.
    Neighbours are mutual. Random numbers are our own.

    **Version history.** v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 5}
    profiles: ClassVar[Mapping[str, Profile]] = PROFILES

    def __init__(
        self,
        traffic_density: int = 1,
        num_agents: int | Literal["random"] | None = None,
        reward_mode: RewardMode = "regional",
        action_masking: bool = False,
        safety_supervisor: bool = False,
        profile: str = "highway-env",
        observe_id: bool = True,
        max_steps: int = 100,
    ) -> None:
        require_choice("traffic_density", traffic_density, TRAFFIC)
        require_choice("reward_mode", reward_mode, ("own", "regional", "global"))
        require_choice("profile", profile, self.profiles)
        require_flag("action_masking", action_masking)
        require_flag("safety_supervisor", safety_supervisor)
        require_flag("observe_id", observe_id)
        require_count("max_steps", max_steps, 1, LONGEST)
        self.crowd = Crowd(_agents(num_agents, traffic_density), TRAFFIC[traffic_density])
        self.reward_mode: RewardMode = reward_mode
        self.action_masking = action_masking
        self.safety_supervisor = safety_supervisor
        self.profile = PROFILES[profile]
        self.observe_id = observe_id
        self.max_steps = max_steps
        n = self.crowd.agents[1]
        self.agents = tuple(f"agent_{i}" for i in range(n))
        self.action_spaces = tuple(Discrete(len(ACTIONS)) for _ in self.agents)
        width = FEATURES * (1 + SEEN) + n * observe_id
        self.observation_space = Box(-FARTHEST, FARTHEST, (width,), np.float32)
        self.state_space = Box(-FARTHEST, FARTHEST, (n * width,), np.float32)

    def reset(self, streams: Streams) -> State:
        vehicles = spawn(self.crowd, streams)
        sight = Sight.of(vehicles, self.n)
        agents = vehicles.present[: self.n]
        from_ramp = agents & ~sight.through[: self.n]
        zero = torch.zeros(agents.shape[1], dtype=torch.float64, device=agents.device)
        never = torch.full_like(vehicles.x[: self.n], torch.inf)
        return {
            **pack(vehicles),
            **self._look(sight),
            "decisions": zero,
            "speed_sum": zero,
            "from_ramp": from_ramp.t(),
            "merged_after": never.t(),
        }

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        vehicles = unpack(state)
        agents = vehicles.present[: self.n]
        chosen = actions.t().contiguous()
        if self.safety_supervisor:
            chosen = supervise(vehicles, chosen, self.profile)
        vehicles = self.drive(vehicles, chosen)
        sight = Sight.of(vehicles, self.n)
        seen = self._look(sight)
        graph = seen["neighbors"].permute(1, 2, 0)
        rewards = share(own_rewards(vehicles, sight.ahead), graph, agents, self.reward_mode)
        crashed = vehicles.agents_crashed(self.n)
        over = crashed.any(dim=0)

        decisions = state["decisions"] + 1
        speed = torch.where(agents, vehicles.speed[: self.n], number(0.0, agents.device))
        speed_sum = state["speed_sum"] + total(speed) / agents.sum(dim=0)
        merged = state["from_ramp"] & sight.through[: self.n].t()
        merged_after = torch.where(
            merged, state["merged_after"].minimum(decisions[:, None]), state["merged_after"]
        )
        record = {"decisions": decisions, "speed_sum": speed_sum, "merged_after": merged_after}
        return Outcome(
            {**pack(vehicles), **seen, **record, "from_ramp": state["from_ramp"]},
            rewards.t().to(torch.float32, memory_format=torch.contiguous_format),
            over,
            {
                "crash_rate": over.float(),
                "mean_speed": (speed_sum / decisions).float(),
                **self._merging(crashed, state["from_ramp"].t(), merged_after.t()),
            },
        )

    def drive(self, vehicles: Vehicles, actions: Tensor) -> Vehicles:
        """The vehicles after a decision of the agents, int64 (n, B)."""
        return advance(vehicles, actions, self.profile)

    def observe(self, state: State) -> Tensor:
        return state["observation"]

    def global_state(self, state: State) -> Tensor:
        return state["observation"].flatten(1)

    def action_mask(self, state: State) -> Tensor | None:
        if not self.action_masking:
            return super().action_mask(state)
        return action_mask(unpack(state), self.n).permute(2, 1, 0)

    def alive(self, state: State) -> Tensor:
        return state["present"][:, : self.n]

    def neighbors(self, state: State) -> Tensor:
        return state["neighbors"]

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        vehicles = unpack({name: value[:1] for name, value in state.items()})
        if mode == "ansi":
            return write(vehicles, self.agents)
        return draw(vehicles, state["neighbors"][0], tuple(range(self.n)) if priority is None else priority)

    def _look(self, sight: Sight) -> State:
        """What views and learners ask for again and again, as parts of the state."""
        return {
            "observation": observe(sight, self.observe_id),
            "neighbors": neighbors(sight).permute(2, 0, 1),
        }

    def _merging(self, crashed: Tensor, from_ramp: Tensor, merged_after: Tensor) -> dict[str, Tensor]:
        """The metrics of merging."""
        # There is always an agent on the ramp: half of them are, rounded up.
        count = from_ramp.sum(dim=0)
        merged = (merged_after < torch.inf) > crashed  # and not
        limit = float(self.max_steps or LONGEST)
        time = merged_after.clamp(max=limit)
        time = torch.where(from_ramp, time, number(0.0, time.device)).mul_(TICKS * TICK)
        return {
            "merged": merged.sum(dim=0) / count,
            "time_to_merge": (total(time) / count).float(),
        }


def _agents(num_agents: object, density: int) -> tuple[int, int]:
    """Bounds of the number of agents."""
    if num_agents is None:
        return density + 1, density + 1
    if num_agents == "random":
        return RANDOM_AGENTS[density]
    # The ramp, which takes the odd ones, must have a place for everybody.
    most = 2 * (PLACES - (TRAFFIC[density][1] + 1) // 2)
    valid = isinstance(num_agents, int) and not isinstance(num_agents, bool) and 1 <= num_agents <= most
    if not valid or not isinstance(num_agents, int):
        raise InvalidArgumentError(
            f"num_agents={num_agents!r} does not fit traffic_density={density}; expected an integer in "
            f"1..{most}, 'random', or None for {density + 1}"
        )
    return num_agents, num_agents


def pack(vehicles: Vehicles) -> State:
    """Vehicles as parts of a state, (B, V), the batch still innermost in memory."""
    return {name: value.t() for name, value in vehicles.tensors().items()}


def unpack(state: State) -> Vehicles:
    """The vehicles of a state."""
    return Vehicles(**{field.name: state[field.name].t().contiguous() for field in fields(Vehicles)})
