"""Football on the Google Research Football engine as a parallel environment."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from stmg_envs.arguments import require_choice, require_count, require_flag, require_positive
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.football.action_mask import action_masks
from stmg_envs.football.camera import picture
from stmg_envs.football.features import OBSERVATIONS, STATE, Representation, match_state
from stmg_envs.football.match import ACTIONS, Match
from stmg_envs.football.neighbors import NeighborMode, k_nearest, within
from stmg_envs.football.rewards import REWARDS, RewardMode
from stmg_envs.football.scenarios import count_agents
from stmg_envs.football.snapshot import Snapshot
from stmg_envs.football.text import write
from stmg_envs.protocol import ParallelStep, PriorityParallelEnv, check_action

FARTHEST = 100.0
"""A bound of what is observed: no ball flies as high, in metres, or so far out."""

ENGINE_SEEDS = 2**31
"""The engine takes seeds below this."""

RENDER_MODES = ["ansi", "rgb_array"]


class Football(PriorityParallelEnv):
    """Players of one team attack, on the real engine of Google Research Football (gfootball 2.10.2).

    Agents move players of the left team, which plays to the right; the engine moves all others. (Kurach et
    al. 2020, "Google Research Football"; the academy scenarios are STEER's football tasks.)

    | Scenario                                      | Agents | Players (left, right)                         |
    |-----------------------------------------------|--------|-----------------------------------------------|
    | academy_pass_and_shoot_with_keeper (default)  | 2      | 3, 2: one is free before the goal, one is not |
    | academy_3_vs_1_with_keeper                    | 3      | 4, 2: three come from the edge of the box     |
    | academy_counterattack_easy                    | 4      | 11, 11: four run at a single defender         |

    Any other scenario of the engine goes by its name, for instance "5_vs_5" or "11_vs_11_easy_stochastic".

    | Space       | Each of n agents                                                                       |
    |-------------|----------------------------------------------------------------------------------------|
    | Action      | Discrete(19), the engine's default set, see below                                      |
    | Observation | Box(-100, 100, (122,)), "simple115v2" (115,): `stmg_envs.football.features` has tables |
    | State       | Box(-100, 100, (104,)): the match as simple115v2 has it, without who looks             |

    | Action | Meaning                                                                                     |
    |--------|---------------------------------------------------------------------------------------------|
    | 0      | idle: go on as before                                                                       |
    | 1-8    | run left, top left, top, top right, right, bottom right, bottom, bottom left; goes on       |
    | 9-11   | long, high, short pass                                                                      |
    | 12     | shot                                                                                        |
    | 13     | sprint; goes on                                                                             |
    | 14-15  | release the direction, the sprint                                                           |
    | 16     | sliding                                                                                     |
    | 17-18  | dribble, which goes on, and release it                                                      |

    **Time.** A step takes a tenth of a second. While the game is interrupted, steps of a full match are not
    shown.

    **Agents and players.** The engine says which player an agent moves. Where fewer players are moved than
    there are, the engine may give an agent another player that is nearer to the ball; its keeper only on a
    pass.

    **Action masks.** In `infos[agent]["action_mask"]`; the rules are those of
    `stmg_envs.football.action_mask`: nobody passes or shoots without a ball in reach, slides for a ball that
    one's team has, or releases what is not on. A masked action that is played all the same does what the
    engine makes of it.

    **Rewards.** The same for all agents. "scoring": goals scored less goals conceded. "shaped":
    5 for a win when the episode ends, + 5 scoring, + 0.003 z, + their new yellow cards less ours,
    - 0.003 times the distance from our nearest player to a ball that we do not have. z is -2 with the ball in
    our box, -1 elsewhere in our part, 0 in the middle, 1 in their part and 2 in their box: the middle ends at
    |x| = 0.2, boxes begin at |x| = 0.64 and are |y| < 0.27 wide.

    **Metrics.** `win_rate`: 1 if we have scored more goals than they, so that in academy scenarios, which a
    goal ends, the mean over episodes is the share with a goal of ours. `goal_difference`: ours less theirs.

    **Episode end.** Terminates when the scenario's own rules say so: academy scenarios end with a goal, when
    the ball leaves play, and most when the other team gets it. Truncates after `max_steps`.

    **Neighbours.** Of the players that agents move: those of which one is among the `k` nearest of the other,
    or those within `radius`.

    **Randomness.** The engine's, from a seed: the same seed and actions give the same match, on the same
    machine and build.

    **Pictures.** "rgb_array" shows the engine's own; it draws without a screen, through EGL.

    Args:
        scenario: name of a scenario.
        num_agents: how many players are moved; by default all of the left team but its keeper, 4 in the
            counterattacks, as usual.
        representation: "compact" or "simple115v2".
        reward: "shaped" or "scoring".
        neighbors: "k_nearest" or "radius".
        k: for "k_nearest".
        radius: for "radius", metres.
        action_masking: without it all actions are always legal.
        max_steps: time limit; 400 is the engine's own in the academy scenarios.
        render_mode: "ansi", "rgb_array" or None.
        priority: agent names, first to decide first; by default in the order of the engine's players.

    Raises:
        InvalidArgumentError: for an argument out of range.
        InvalidPriorityError: if the priority is no permutation of the agents.

    **Version history.** v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": RENDER_MODES,
        "render_fps": 10,
        "name": "Football",
        "is_parallelizable": True,
    }

    def __init__(
        self,
        scenario: str = "academy_pass_and_shoot_with_keeper",
        num_agents: int | None = None,
        representation: Representation = "compact",
        reward: RewardMode = "shaped",
        neighbors: NeighborMode = "k_nearest",
        k: int = 2,
        radius: float = 20.0,
        action_masking: bool = True,
        max_steps: int = 400,
        render_mode: str | None = None,
        priority: object = None,
    ) -> None:
        count = count_agents(scenario, num_agents)
        require_choice("representation", representation, OBSERVATIONS)
        require_choice("reward", reward, REWARDS)
        require_choice("neighbors", neighbors, ("k_nearest", "radius"))
        require_count("k", k, 1)
        require_positive(radius=radius)
        require_flag("action_masking", action_masking)
        require_count("max_steps", max_steps, 1)
        if render_mode not in (None, *RENDER_MODES):
            raise InvalidArgumentError(
                f"render_mode={render_mode!r} is unknown; expected None or one of {RENDER_MODES}"
            )
        self.render_mode = render_mode
        self.max_steps = max_steps
        self.possible_agents = [f"agent_{index}" for index in range(count)]
        self.agents = []
        width, self._observe = OBSERVATIONS[representation]
        self.observation_spaces = {
            agent: Box(-FARTHEST, FARTHEST, (width,), np.float32) for agent in self.possible_agents
        }
        self.action_spaces = {agent: Discrete(len(ACTIONS)) for agent in self.possible_agents}
        self.state_space = Box(-FARTHEST, FARTHEST, (STATE,), np.float32)
        self._reward = REWARDS[reward]
        self._graph = {"k_nearest": partial(k_nearest, k=k), "radius": partial(within, radius=radius)}[
            neighbors
        ]
        self._masks = action_masking
        self._match = Match(scenario, count)
        self._snapshot: Snapshot | None = None
        self._steps = 0
        self._generator: np.random.Generator | None = None
        self.priority = self.possible_agents if priority is None else priority

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        self._apply_options(options)
        if seed is not None or self._generator is None:
            self._generator = np.random.default_rng(seed)
        self._snapshot = self._match.start(int(self._generator.integers(ENGINE_SEEDS)))
        self._steps = 0
        self.agents = list(self.possible_agents)
        return self._observations(), self._infos({})

    def step(self, actions: dict[str, Any]) -> ParallelStep:
        before = self._started()
        acted = self.agents
        if not acted:
            return {}, {}, {}, {}, {}
        chosen = [int(check_action(self.action_spaces[name], name, actions.get(name))) for name in acted]
        self._snapshot = after = self._match.play(chosen)
        self._steps += 1
        terminated = self._match.over
        truncated = not terminated and self._steps >= self.max_steps
        reward = self._reward(before, after, terminated or truncated)
        if terminated or truncated:
            self.agents = []
        won = after.goal_difference > 0
        metrics = {"win_rate": float(won), "goal_difference": float(after.goal_difference)}
        return (
            self._observations(),
            dict.fromkeys(acted, reward),
            dict.fromkeys(acted, terminated),
            dict.fromkeys(acted, truncated),
            self._infos(metrics),
        )

    def state(self) -> NDArray[np.float32]:
        return match_state(self._started())

    def neighbors(self) -> NDArray[np.bool_]:
        return self._graph(self._started())

    def render(self) -> str | NDArray[np.uint8] | None:
        if self.render_mode is None:
            return None
        snapshot = self._started()
        return write(snapshot, self._steps) if self.render_mode == "ansi" else picture(self._match)

    def close(self) -> None:
        """Nothing to release: engines go back to their pool when nobody knows the match any more."""

    def _started(self) -> Snapshot:
        if self._snapshot is None:
            raise InvalidArgumentError("the environment has not been started; call reset() first")
        return self._snapshot

    def _observations(self) -> dict[str, NDArray[np.float32]]:
        return dict(zip(self.possible_agents, self._observe(self._started()), strict=True))

    def _infos(self, metrics: dict[str, float]) -> dict[str, dict[str, Any]]:
        if not self._masks:
            return {agent: dict(metrics) for agent in self.possible_agents}
        masks = action_masks(self._started())
        return {
            agent: {"action_mask": mask, **metrics}
            for agent, mask in zip(self.possible_agents, masks, strict=True)
        }
