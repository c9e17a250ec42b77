"""Small populations far from their nearly uniform start, and made-up rollouts of them."""

from __future__ import annotations

from collections.abc import Callable

import torch

from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.population import Population
from baselines.training.rollout import Batch

RUNS, ROWS, N, OBS_DIM, ACTIONS = 2, 8, 2, 3, 3
SPEC = PolicySpec(N, OBS_DIM, None, ACTIONS, discrete=True, fully_observed=True)


def population_of(build: Callable[[], JointPolicy]) -> Population:
    """Two runs whose every parameter has been moved at random."""
    population = Population(build, seeds=[0, 1])
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in population.parameters.values():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return population


def module_of(population: Population, build: Callable[[], JointPolicy], run: int) -> JointPolicy:
    """The policy of one run as a plain module with numbers of its own."""
    policy = build()
    policy.load_state_dict({name: p[run].detach().clone() for name, p in population.parameters.items()})
    return policy


def rollout(population: Population, spec: PolicySpec = SPEC, seed: int = 0) -> Batch:
    """Decisions whose probabilities have moved since by far more than clip ranges, on both sides.

    Agent 0 is dead in row 1 of run 0, agent 1 in rows 2 and 5 of run 1.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(RUNS, ROWS, *shape, generator=generator)

    n, width = spec.n, spec.action_width
    inputs = {"observation": normal(n, spec.obs_dim), "priority": normal(n).argsort(dim=-1)}
    if spec.discrete:
        actions = torch.randint(2, (RUNS, ROWS, n), generator=generator)
        # The last action is legal now and then.
        inputs["action_mask"] = torch.cat([torch.ones(RUNS, ROWS, n, 2), normal(n, 1)], dim=-1) > 0
    else:
        actions = normal(n, width)
    judged = population.evaluate(inputs, actions)
    alive = torch.ones(RUNS, ROWS, n, dtype=torch.bool)
    alive[0, 1, 0] = alive[1, 2, 1] = alive[1, 5, 1] = False
    values = judged.values.detach() + 0.6 * normal(n)
    advantages = 2.0 * normal(n) * torch.linspace(1.0, 30.0, n) + 1.0
    log_probs = judged.log_probs.detach() + 0.5 * normal(n)
    return Batch(inputs, actions, log_probs, values, advantages, 3.0 * normal(n) + 5.0, alive)
