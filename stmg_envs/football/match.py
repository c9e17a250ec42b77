"""A match on the Google Research Football engine, without what its Python layers add to a step.

gfootball's own environments copy every observation several times and keep traces that they may write to disk.
This drives the engine below them, by the same rules (`gfootball.env.football_env_core`).
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import gfootball_engine

from stmg_envs.football.scenarios import configure
from stmg_envs.football.snapshot import LEFT, NOBODY, NORMAL, STICKY, Snapshot, read

ACTIONS = (
    "idle",
    "left",
    "top_left",
    "top",
    "top_right",
    "right",
    "bottom_right",
    "bottom",
    "bottom_left",
    "long_pass",
    "high_pass",
    "short_pass",
    "shot",
    "sprint",
    "release_direction",
    "release_sprint",
    "sliding",
    "dribble",
    "release_dribble",
)
"""The engine's default set of actions."""

PHYSICS_STEPS = 10
"""Ticks of a hundredth of a second in a step."""

PATIENCE = 20
"""Steps after which a set piece that nobody takes is taken with a short pass; then the taker runs."""

_BACKEND = [getattr(gfootball_engine.e_BackendAction, name) for name in ACTIONS]
_STICKY = [getattr(gfootball_engine.e_BackendAction, name) for name in STICKY]

_idle_engines: list[Any] = []
"""Engines whose match has been forgotten. Loading one takes a while; a reset makes it as good as new."""


def load_engine(render: bool = False, width: int = 1280, height: int = 720) -> Any:
    """A new engine.

    Args:
        render: whether it draws what it does.
        width: of its pictures, pixels.
        height: the same.
    """
    engine = gfootball_engine.GameEnv()
    engine.game_config.physics_steps_per_frame = PHYSICS_STEPS
    engine.game_config.render = render
    engine.game_config.render_resolution_x = width
    engine.game_config.render_resolution_y = height
    engine.start_game()
    return engine


class Match:
    """One match at a time, in which agents move players of the left team.

    Args:
        scenario: name of a scenario.
        agents: n.
    """

    def __init__(self, scenario: str, agents: int) -> None:
        self.scenario = scenario
        self.agents = agents
        self.over = False
        """Whether the scenario's own rules have ended the match."""
        self._engine = _idle_engines.pop() if _idle_engines else load_engine()
        weakref.finalize(self, _idle_engines.append, self._engine)
        self._seed = 0
        self._mode = -1
        self._last_owner = NOBODY
        self._waiting = 0
        self._snapshot: Snapshot

    def start(self, seed: int) -> Snapshot:
        """Begin anew, with the engine's randomness from a seed below 2**31."""
        self._seed, self.over = seed, False
        self.reset(self._engine)
        self._mode, self._last_owner, self._waiting = -1, NOBODY, 0
        self._snapshot = self._look()
        return self._snapshot

    def play(self, actions: Sequence[int]) -> Snapshot:
        """One step of a tenth of a second; what it does while the match is interrupted is not shown.

        Args:
            actions: indices of `ACTIONS`, one per agent.
        """
        for agent, action in enumerate(actions):
            self._engine.perform_action(_BACKEND[self._hurried(agent, action)], True, agent)
        self._engine.step()
        self._snapshot = snapshot = self._look()
        self._waiting = 0 if snapshot.mode == NORMAL else self._waiting + 1
        self.over = self._is_over(snapshot)
        self._mode = snapshot.mode
        if snapshot.owner_team != NOBODY:
            self._last_owner = snapshot.owner_team
        return snapshot

    @property
    def identity(self) -> tuple[str, int, int]:
        """What tells this match from others: scenario, agents, seed."""
        return self.scenario, self.agents, self._seed

    def reset(self, engine: Any) -> None:
        """Put an engine at the beginning of this match."""
        engine.state = gfootball_engine.GameState.game_running
        engine.reset(configure(*self.identity), False)

    def show(self, engine: Any) -> None:
        """Put an engine that was at the beginning of this match where it is now.

        What the other one does afterwards may differ: an engine's state does not say all there is to know.
        """
        engine.set_state(self._engine.get_state(""))

    def _hurried(self, agent: int, action: int) -> int:
        """The action, unless a set piece has been waiting for too long."""
        if self._waiting < PATIENCE:
            return action
        if self._waiting == PATIENCE:
            return ACTIONS.index("short_pass")
        snapshot = self._snapshot
        if snapshot.owner_team == LEFT and snapshot.moved[agent] == snapshot.owner_player:
            return ACTIONS.index("right" if self._waiting < 1.5 * PATIENCE else "left")
        return ACTIONS.index("idle")

    def _is_over(self, snapshot: Snapshot) -> bool:
        rules = self._engine.config
        scored = rules.end_episode_on_score and any(snapshot.score)
        out = rules.end_episode_on_out_of_play and self._mode == NORMAL != snapshot.mode
        lost = rules.end_episode_on_possession_change and NOBODY not in (
            snapshot.owner_team,
            self._last_owner,
        )
        return scored or out or (lost and snapshot.owner_team != self._last_owner)

    def _look(self) -> Snapshot:
        info = self._engine.get_info()
        while not info.is_in_play:
            self._engine.step()
            info = self._engine.get_info()
        return read(info, self._sticky())

    def _sticky(self) -> list[list[bool]]:
        state = self._engine.sticky_action_state
        return [[state(action, True, agent) for action in _STICKY] for agent in range(self.agents)]
