"""View 2: agents selected in priority order, each seeing its superiors' actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray
from pettingzoo import AECEnv

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.parallel import PriorityParallelEnv
from stmg_envs.protocol.turns import TurnObservation, Turns

if TYPE_CHECKING:
    import networkx as nx


class TurnBasedEnv(AECEnv[str, TurnObservation, Any]):
    """A parallel environment played in turns, as a PettingZoo AEC environment.

    Nothing moves between turns: rewards of a timestep arrive when its last agent has acted. Every
    turn observation is the flat Dict of :class:`stmg_envs.protocol.turns.TurnSpaces`. `agents` stands in
    the order of the present priority.

    Args:
        parallel: the environment.
    """

    def __init__(self, parallel: PriorityParallelEnv) -> None:
        super().__init__()
        self.parallel = parallel
        self.turns = Turns(parallel)
        self.metadata = {**parallel.metadata, "is_parallelizable": True}
        self.render_mode = parallel.render_mode
        self.possible_agents = list(parallel.possible_agents)
        self.agents: list[str] = []
        self.observation_spaces = dict(self.turns.spaces.observations)
        self.action_spaces = dict(self.turns.spaces.actions)
        self.state_space = parallel.state_space

    @property
    def priority(self) -> tuple[str, ...]:
        """Agent names, first to decide first."""
        return self.parallel.priority

    def neighbors(self) -> NDArray[np.bool_]:
        """The present neighbour graph, bool (n, n)."""
        return self.parallel.neighbors()

    def neighbor_graph(self) -> nx.Graph:
        """The present neighbour graph over agent names."""
        return self.parallel.neighbor_graph()

    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        observations, infos = self.parallel.reset(seed=seed, options=options)
        self.turns.reset()
        self.turns.begin(self.parallel.agents, observations, infos)
        self.agents = list(self.turns.order)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: self.turns.info(agent) for agent in self.agents}
        self.agent_selection = self.turns.current

    def observe(self, agent: str) -> TurnObservation:
        return self.turns.observe(agent)

    def state(self) -> NDArray[Any]:
        return np.asarray(self.parallel.state())

    def step(self, action: Any) -> None:
        if not self.agents:
            raise InvalidArgumentError("the episode is over or was never started; call reset() before step()")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self.turns.submit(action)
        self._cumulative_rewards[agent] = 0.0
        if self.turns.complete:
            self._joint_step()
        else:
            self._clear_rewards()
            self.agent_selection = self.turns.current

    def render(self) -> Any:
        return self.parallel.render()

    def close(self) -> None:
        self.parallel.close()

    def _joint_step(self) -> None:
        acted = self.turns.order
        observations, rewards, terminations, truncations, infos = self.parallel.step(
            self.turns.joint_action()
        )
        self.turns.begin(self.parallel.agents, observations, infos)
        arrived = [agent for agent in self.turns.order if agent not in acted]
        self.rewards = {agent: float(rewards.get(agent, 0.0)) for agent in acted}
        self.terminations = {agent: bool(terminations.get(agent)) for agent in acted}
        self.truncations = {agent: bool(truncations.get(agent)) for agent in acted}
        for agent in arrived:
            self.rewards[agent] = self._cumulative_rewards[agent] = 0.0
            self.terminations[agent] = self.truncations[agent] = False
        self.infos = {agent: self.turns.info(agent) for agent in (*acted, *arrived)}
        ended = [agent for agent in self.turns.priority if agent in acted and agent not in self.turns.order]
        self.agents = [*self.turns.order, *ended]
        self._accumulate_rewards()
        self.agent_selection = self.agents[0]
        self._deads_step_first()
