"""Made-up timesteps for replay, and learners that replay them."""

from __future__ import annotations

from typing import TypeVar

import torch
from rollouts import RUNS
from torch import Tensor

import stmg_envs
from baselines.algorithms.off_policy import OffPolicy, OffPolicyConfig
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.population import Population
from baselines.training.replay import ReplayBuffer, Rows
from baselines.training.rollout import decision_noise

COUNT = 12
"""Timesteps of each run."""

Kind = TypeVar("Kind", bound=OffPolicy)


def timesteps(spec: PolicySpec, seed: int = 0) -> Rows:
    """Made-up ones.

    Agent 0 is dead in row 1 of run 0 and comes to its end in rows 2 and 5 of both runs; agent 1 is not there
    any more after row 4 of run 1.
    """
    generator = torch.Generator().manual_seed(seed)
    n = spec.n

    def normal(*shape: int) -> Tensor:
        return torch.randn(RUNS, COUNT, *shape, generator=generator)

    rows: Rows = {"rewards": 2.0 * normal(n), "terminated": torch.zeros(RUNS, COUNT, n, dtype=torch.bool)}
    for prefix in ("", "next."):
        rows[prefix + "observation"] = normal(n, spec.obs_dim)
        rows[prefix + "alive"] = torch.ones(RUNS, COUNT, n, dtype=torch.bool)
        if spec.discrete:
            rows[prefix + "action_mask"] = (
                torch.cat([torch.ones(RUNS, COUNT, n, 2), normal(n, 1)], dim=-1) > 0
            )
    if spec.discrete:
        rows["actions"] = torch.randint(2, (RUNS, COUNT, n), generator=generator)
    else:
        rows["actions"] = normal(n, spec.action_width).tanh()
    rows["alive"][0, 1, 0] = rows["next.alive"][1, 4, 1] = False
    rows["terminated"][:, [2, 5], 0] = True
    return rows


def replaying(kind: type[Kind], config: OffPolicyConfig, population: Population, spec: PolicySpec) -> Kind:
    """A learner whose running average rewards are what is given, and whose target networks are elsewhere."""
    learner = kind(config, population, spec.n)
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", RUNS * config.num_envs)
    env.reset(seed=0)
    learner.collector(env, decision_noise(spec.n, spec.action_width, spec.discrete))
    generator = torch.Generator().manual_seed(9)
    for name, p in population.parameters.items():
        learner.targets[name] = p.detach() + 0.2 * torch.randn(p.shape, generator=generator)
    learner._interaction.averages = torch.tensor([[0.5, -1.0], [2.0, 0.25]])
    return learner


def filled(rows: Rows, capacity: int = 100) -> ReplayBuffer:
    buffer = ReplayBuffer(capacity)
    buffer.add(rows)
    return buffer


def target_module(learner: OffPolicy, policy: JointPolicy, run: int) -> None:
    """Give a policy the numbers of one run's target networks."""
    policy.load_state_dict({name: p[run].clone() for name, p in learner.targets.items()})
