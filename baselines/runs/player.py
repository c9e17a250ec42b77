"""A trained policy in one view of its game: it decides there, and plays whole episodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.algorithms.config import LONGEST_EPISODE
from baselines.networks.policy import PolicySpec, SequentialPolicy, take_agents
from baselines.runs.actions import ActionForm
from baselines.runs.seen import require_observations
from baselines.runs.sights import Sight, View, engine_spaces, sight
from baselines.training.population import Population, policy_inputs
from baselines.training.rollout import decision_noise
from stmg_envs.errors import EndlessEpisodeError
from stmg_envs.protocol import JointVectorEnv, PriorityParallelEnv, Streams, TurnBasedEnv, TurnStreamEnv


class Player:
    """A policy and the view that it decides in.

    Args:
        population: a population of one.
        spec: its sizes.
        env: the view.
    """

    def __init__(self, population: Population, spec: PolicySpec, env: View) -> None:
        self._population, self._spec, self._env = population, spec, env
        self._engine = engine_spaces(env)
        self._form = ActionForm(env, self._engine)

    def predict(
        self,
        observation: Any,
        state: Tensor | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
        infos: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Tensor | None]:
        """Decide; see `LoadedPolicy.predict`."""
        due = sight(self._env, self._engine, observation, infos)
        batch = require_observations(due.observations, self._spec)
        memory = self._population.no_memory(batch, self._spec.n)[0] if state is None else state
        if episode_start is not None:
            begins = torch.as_tensor(episode_start, device=memory.device).expand(batch)
            memory = torch.where(begins[:, None, None], 0.0, memory)
        actions, remembered = self._decide(due, memory, batch, deterministic)
        if due.agent is None:
            return self._joint(actions), remembered
        if remembered is not None:
            # The others remember when it is their turn.
            own = torch.arange(self._spec.n, device=memory.device) == due.agent
            remembered = torch.where(own[:, None], remembered, memory)
        return self._form.of_view(due.agent, actions[0, due.agent]), remembered

    def play(self, seed: int | None = None, deterministic: bool = True) -> NDArray[np.float64]:
        """Play an episode; the undiscounted returns, (n,), or (B, n) in a batch.

        Raises:
            EndlessEpisodeError: if it does not end.
        """
        if isinstance(self._env, JointVectorEnv):
            return self._play_batch(self._env, seed, deterministic)
        if isinstance(self._env, PriorityParallelEnv):
            return self._play_at_once(self._env, seed, deterministic)
        if isinstance(self._env, TurnBasedEnv):
            return self._play_in_turns(self._env, seed, deterministic)
        return self._play_stream(self._env, seed, deterministic)

    def _decide(
        self, due: Sight, memory: Tensor, batch: int, deterministic: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Actions (B, n[, action_dim]), that of the agent whose turn it is among them, and a new memory."""
        noise = self._noise(batch, deterministic)
        inputs = policy_inputs(due.observations, due.priority.to(noise.device), 1)
        if memory.shape[-1]:
            # Who is not in the game has nothing to remember when it enters.
            inputs["memory"] = torch.where(inputs["alive"].unsqueeze(-1), memory, 0.0)
        decision = self._population.act(inputs, noise[None])
        actions = decision.actions[0]
        policy = self._population.policy
        if isinstance(policy, SequentialPolicy) and not self._foreseen(due, actions):
            with torch.no_grad():
                actions = self._answer(policy, {name: x[0] for name, x in inputs.items()}, due, noise)
        return actions, None if decision.memory is None else decision.memory[0]

    def _foreseen(self, due: Sight, actions: Tensor) -> bool:
        """Whether superiors did what the policy does in their place."""
        return all(
            np.array_equal(self._form.of_agent(agent, actions[0, agent]), action)
            for agent, action in due.decided.items()
        )

    def _answer(
        self, policy: SequentialPolicy, inputs: dict[str, Tensor], due: Sight, noise: Tensor
    ) -> Tensor:
        """The actions of superiors, as they were, and that of the agent whose turn it is."""
        assert due.agent is not None
        width = self._spec.action_width
        shape = (1, self._spec.n) if self._spec.discrete else (1, self._spec.n, width)
        actions = torch.zeros(shape, dtype=torch.int64 if self._spec.discrete else torch.float32)
        for agent, action in due.decided.items():
            actions[0, agent] = self._form.of_policy(agent, action, width)
        actions, order = actions.to(noise.device), inputs["priority"]
        rank = int((order[0] == due.agent).nonzero())
        mask = inputs.get("action_mask")
        legal = None if mask is None else take_agents(mask, order)[:, rank]
        embedding = policy.embed(inputs, actions)[:, rank]
        actions[:, due.agent], _ = policy.actor.sample(embedding, take_agents(noise, order)[:, rank], legal)
        return actions

    def _noise(self, batch: int, deterministic: bool) -> Tensor:
        """Of decisions, (B, n, action_width), by torch's own generator."""
        n, width, device = self._spec.n, self._spec.action_width, self._population.device
        if deterministic:
            return torch.zeros(batch, n, width, device=device)
        streams = Streams.from_seeds(torch.randint(2**62, (1,)), device)
        return decision_noise(n, width, self._spec.discrete)(streams, batch)[0]

    def _joint(self, actions: Tensor) -> Any:
        """The decisions of all, (B, n[, action_dim]), as the view takes them."""
        if not isinstance(self._env, PriorityParallelEnv):
            return actions
        return {
            agent: self._form.of_view(i, actions[0, i])
            for i, agent in enumerate(self._env.possible_agents)
            if agent in self._env.agents
        }

    def _play_batch(self, env: JointVectorEnv, seed: int | None, deterministic: bool) -> NDArray[np.float64]:
        observations, _ = env.reset(seed=seed)
        returns = torch.zeros(env.num_envs, len(env.agents), dtype=torch.float64, device=env.device)
        running, state, over = torch.ones_like(returns[:, 0], dtype=torch.bool), None, None
        for _ in range(LONGEST_EPISODE):
            actions, state = self.predict(observations, state, over, deterministic)
            observations, rewards, terminated, truncated, _ = env.step(actions)
            returns += torch.where(running[:, None], rewards, 0.0)
            over = terminated | truncated
            running &= ~over
            if not bool(running.any()):
                return returns.cpu().numpy()
        raise _endless()

    def _play_at_once(
        self, env: PriorityParallelEnv, seed: int | None, deterministic: bool
    ) -> NDArray[np.float64]:
        observations, infos = env.reset(seed=seed)
        returns, state = np.zeros(len(env.possible_agents)), None
        for _ in range(LONGEST_EPISODE):
            actions, state = self.predict(observations, state, None, deterministic, infos)
            observations, rewards, _, _, infos = env.step(actions)
            returns += [rewards.get(agent, 0.0) for agent in env.possible_agents]
            if not env.agents:
                return returns
        raise _endless()

    def _play_in_turns(self, env: TurnBasedEnv, seed: int | None, deterministic: bool) -> NDArray[np.float64]:
        env.reset(seed=seed)
        returns, state = np.zeros(len(env.possible_agents)), None
        for _ in range(LONGEST_EPISODE * len(returns)):
            while env.agents and _is_out(env, env.agent_selection):
                env.step(None)
            if not env.agents:
                return returns
            action, state = self.predict(env.observe(env.agent_selection), state, None, deterministic)
            last = len(env.turns.actions) == len(env.turns.order) - 1
            env.step(action)
            returns += [env.rewards.get(agent, 0.0) * last for agent in env.possible_agents]
        raise _endless()

    def _play_stream(self, env: TurnStreamEnv, seed: int | None, deterministic: bool) -> NDArray[np.float64]:
        observation, info = env.reset(seed=seed)
        returns, state = np.zeros(len(info["rewards"])), None
        for _ in range(LONGEST_EPISODE * len(returns)):
            action, state = self.predict(observation, state, None, deterministic)
            observation, _, terminated, truncated, info = env.step(action)
            returns += info["rewards"]
            if terminated or truncated:
                return returns
        raise _endless()


def _is_out(env: TurnBasedEnv, agent: str) -> bool:
    return env.terminations[agent] or env.truncations[agent]


def _endless() -> EndlessEpisodeError:
    return EndlessEpisodeError(
        f"the episode has not ended after {LONGEST_EPISODE} timesteps; give its environment a time limit"
    )
