"""A block: the runs of some seeds, trained together as one population."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from baselines.evaluation.greedy import Evaluated, evaluate_greedy
from baselines.runs.plan import RunPlan
from baselines.training.checkpoint import prefixed, under
from baselines.training.finite import FiniteCheck
from baselines.training.memory import keep_freed_memory
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from stmg_envs.protocol import Streams

ENVIRONMENTS, DECISIONS, UPDATES, EVALUATIONS = range(1, 5)
"""Purposes of a run's random streams. All its randomness is a function of (seed, purpose, counter)."""


class Block:
    """K runs with their environments, in memory alone: collect, update, evaluate.

    Args:
        plan: what to do; all its seeds are the block's.
    """

    def __init__(self, plan: RunPlan) -> None:
        keep_freed_memory()
        config = plan.config
        env = plan.environments(config.num_envs, config.lanes)
        sizes = plan.policy_spec(env.game)
        self.plan = plan
        self.population = Population(lambda: plan.algorithm.build(config, sizes), plan.seeds, plan.device)
        self.learner = plan.algorithm.learner(config, self.population, sizes.n)
        self.streams = Streams.from_seeds(plan.seeds, plan.device)
        noise = decision_noise(sizes.n, sizes.action_width, sizes.discrete)
        self.collector = self.learner.collector(env, noise)
        self.evaluation_env = plan.evaluation_environments(config.eval_episodes)
        self.finite = FiniteCheck(plan.seeds, env.agents)
        self.updates_done = 0
        self._metrics: dict[str, Tensor] = {}

    @property
    def step(self) -> int:
        """Environment steps per run so far."""
        return self.updates_done * self.plan.config.batch

    def begin(self) -> None:
        """Start the first episodes."""
        seeds = self.streams.fold(ENVIRONMENTS).split(self.plan.config.num_envs).keys
        self.collector.observations, _ = self.collector.env.reset(seed=seeds)

    def update(self) -> dict[str, Tensor]:
        """Collect a batch and learn from it.

        Returns:
            Metrics of both, each (K,).

        Raises:
            NotFiniteError: if a number that is learned from is NaN or infinite.
        """
        decisions, updates = (
            self.streams.fold(purpose, self.updates_done) for purpose in (DECISIONS, UPDATES)
        )
        progress = self.updates_done / self.plan.config.updates
        batch, rollout_metrics = self.collector.collect(decisions, progress)
        alive, quantities = self.collector.quantities(batch)
        self.finite.decisions(f"the rollout after step {self.step}", alive, **quantities)
        metrics = self.learner.update(batch, progress, updates)
        self.updates_done += 1
        self._metrics = rollout_metrics | metrics
        return self._metrics

    def check(self) -> None:
        """Raise NotFiniteError if the last update has left a parameter that is NaN or infinite."""
        self.finite.parameters(self.step, self.population.parameters, self._metrics)

    def evaluate(self, counter: int) -> Evaluated:
        """Greedy episodes; the same counter gives the same ones."""
        streams = self.streams.fold(EVALUATIONS, counter)
        config = self.plan.config
        return evaluate_greedy(
            self.population, self.evaluation_env, streams, config.eval_episodes, config.eval_max_steps
        )

    def state(self) -> dict[str, Tensor]:
        """All that a block needs to go on: per run along the first axis, or one number for all runs."""
        environments = prefixed("env.", self.collector.env.snapshot())
        return self.learner.state() | environments | prefixed("carried.", self.collector.carried())

    def load(self, tensors: Mapping[str, Tensor], updates_done: int) -> None:
        """Go on from a state after so many updates.

        Raises:
            KeyError, RuntimeError: if it is one of another network.
        """
        self.learner.load(dict(tensors))
        observations = self.collector.env.restore(under("env.", tensors))
        self.collector.restore(observations, under("carried.", tensors))
        self.updates_done = updates_done

    def close(self) -> None:
        """End the environments."""
        self.collector.env.close()
        self.evaluation_env.close()
