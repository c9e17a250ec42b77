"""Trained policies out of run directories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.errors import CheckpointError
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.player import Player
from baselines.runs.saved import SavedProgress, load_training
from baselines.runs.seen import require_observations
from baselines.runs.sights import view_of
from baselines.runs.zoo import find_run
from baselines.training.population import Population, policy_inputs
from baselines.training.rollout import decision_noise
from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Observations, Streams, check_device, identity_priority, priority_indices


class LoadedPolicy:
    """The trained joint policy of one run, for play and comparison.

    Args:
        population: a population of one.
        plan: how it was trained.
    """

    def __init__(self, population: Population, plan: RunPlan) -> None:
        self.plan = plan
        self._population = population
        game = plan.game()
        self._agents = game.agents
        self._spec = plan.policy_spec(game)
        self._memory = population.no_memory(0, self._spec.n)
        self._player: Player | None = None

    def set_env(self, env: object) -> None:
        """Play in a view of the game: what `gymnasium.make`, `aec_env`, `parallel_env` or `vector_env` gave.

        Raises:
            InvalidArgumentError: if it is no view.
        """
        self._player = self._in(env)

    def predict(
        self,
        observation: Any,
        state: Tensor | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
        *,
        env: object = None,
        infos: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Tensor | None]:
        """Decide in any view of the game, in the manner of Stable-Baselines3.

        A turn shows one agent's observation, and a policy may need those of all: they are read from the
        view. Superiors may have done what the policy would not have: it answers to what they did.

        Args:
            observation: what the view gave: of one turn, a dict by agents, or a batch of tensors.
            state: what the policy remembered after its last decision; nothing by default.
            episode_start: whether an episode begins, or an array (B,) of whether; it remembers nothing then.
            deterministic: do what is likeliest, instead of drawing by torch's own generator.
            env: the view; by default that of `set_env`.
            infos: of the last step, for the parallel view of an engine with masks of actions.

        Returns:
            The action of the agent whose turn it is, a dict of actions, or int64 (B, n) or float32
            (B, n, action_dim), as the view takes it; and what the policy remembers, (B, n, width), None if
            nothing.

        Raises:
            InvalidArgumentError: if there is no view, or for observations of another game.
        """
        player = self._player if env is None else self._in(env)
        if player is None:
            raise InvalidArgumentError(
                "env=None: what other agents see is read from the view; expected predict(..., env=env), or "
                "set_env(env) before"
            )
        return player.predict(observation, state, episode_start, deterministic, infos)

    def play(
        self, env: object = None, seed: int | None = None, deterministic: bool = True
    ) -> NDArray[np.float64]:
        """Play an episode in a view of the game.

        Args:
            env: the view; by default that of `set_env`, and without one a batch of one as it was trained in.
            seed: of the episode.
            deterministic: as in `predict`.

        Returns:
            The undiscounted return of every agent, (n,), or (B, n) in a batch.

        Raises:
            InvalidArgumentError: if it is no view of the game.
            EndlessEpisodeError: if the episode does not end.
        """
        player = self._player if env is None else self._in(env)
        if player is None:
            player = self._in(self.plan.environments(1))
        return player.play(seed, deterministic)

    def _in(self, env: object) -> Player:
        return Player(self._population, self._spec, view_of(env))

    def act(
        self, observations: Observations, priority: Tensor | None = None, streams: Streams | None = None
    ) -> Tensor:
        """Joint actions for a batch.

        A recurrent policy remembers from call to call; `reset` makes it forget.

        Args:
            observations: as `stmg_envs.vector_env` gives them, leading axis B.
            priority: LongTensor (B, n); identity by default.
            streams: randomness, one stream, for sampled decisions; greedy by default.

        Returns:
            LongTensor (B, n) or float (B, n, action_dim).

        Raises:
            InvalidArgumentError: for observations of another game, or that are no numbers.
            InvalidPriorityError: for an order that is no permutation of the agents.
            NoLegalActionError: if an agent that is alive may do nothing.
        """
        batch = require_observations(observations, self._spec)
        device = self._population.device
        if priority is None:
            order = identity_priority(self._spec.n, batch, device)
        else:
            order = priority_indices(self._agents, priority, batch, device)
        shape = (1, batch, self._spec.n, self._spec.action_width)
        if streams is None:
            noise = torch.zeros(shape, device=device)
        else:
            noise = decision_noise(self._spec.n, self._spec.action_width, self._spec.discrete)(streams, batch)
        inputs = policy_inputs(observations, order, 1)
        if self._memory.shape[-1]:
            if self._memory.shape[1] != batch:
                self._memory = self._population.no_memory(batch, self._spec.n)
            # Who is not in the game has nothing to remember when it enters.
            if "alive" in inputs:
                self._memory = torch.where(inputs["alive"].unsqueeze(-1), self._memory, 0.0)
            inputs["memory"] = self._memory
        decision = self._population.act(inputs, noise)
        self._memory = self._memory if decision.memory is None else decision.memory
        return decision.actions[0]

    def reset(self, where: Tensor | None = None) -> None:
        """Forget what was remembered of all episodes, or of those of a mask (B,): call it when they end.

        Policies without memory need no reset.
        """
        gone = torch.ones_like(self._memory[0, :, 0, 0], dtype=torch.bool) if where is None else where
        self._memory = torch.where(gone[None, :, None, None], 0.0, self._memory)


def load_policy(
    run_dir: str | Path, seed: int | None = None, device: str | None = None, trust: bool = False
) -> LoadedPolicy:
    """The trained policy of one seed of a run.

    Args:
        run_dir: a run directory, or an entry of the zoo, such as "zoo/steer-penalty".
        seed: one of the run's seeds; the first by default.
        device: where it decides; by default where it was trained, or on the CPU if that device is missing.
        trust: whether a module that the run's files name (`pettingzoo/<module>`) may be imported.

    Raises:
        RunDirectoryError: if there is no run.
        UntrustedError: if its files name a module, and are not trusted.
        CheckpointError: if its checkpoint is missing, damaged, or has no such seed.
    """
    directory = find_run(run_dir, trust)
    plan = directory.plan()
    if device is not None:
        check_device(device)
        plan = replace(plan, device=device)
    plan = of_seed(plan, plan.seeds[0] if seed is None else seed)
    return LoadedPolicy(load_population(directory, plan)[0], plan)


def of_seed(plan: RunPlan, seed: int) -> RunPlan:
    """The part of a plan that is one seed's.

    Raises:
        CheckpointError: if it has no such seed.
    """
    if not isinstance(seed, int) or seed not in plan.seeds:
        raise CheckpointError(f"seed={shown(seed)} is none of the run; expected one of {plan.seeds}")
    return replace(plan, seeds=(seed,))


def load_population(directory: RunDirectory, plan: RunPlan) -> tuple[Population, SavedProgress]:
    """The saved policies of the plan's seeds, and how far their training had come.

    Raises:
        CheckpointError: if the checkpoint is missing, damaged, or of another run.
    """
    tensors, progress = load_training(directory)
    sizes = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, sizes), plan.seeds, plan.device)
    try:
        rows = [progress["seeds"].index(seed) for seed in plan.seeds]
        population.load({name: tensors[f"policy.{name}"][rows] for name in population.parameters})
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{directory.checkpoint} does not fit the run ({error})") from None
    return population, progress
