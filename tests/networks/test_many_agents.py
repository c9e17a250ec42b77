"""With more agents than numbers in an embedding nothing of size n x n is made; the results are the same."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.networks.agent_ids import ObservationEncoder, with_agent_ids
from baselines.networks.attention import attend
from baselines.networks.displacement import Displacement, Order
from baselines.networks.mat import MATNetwork
from baselines.networks.policy import Inputs, PolicySpec, SequentialPolicy
from baselines.networks.steer import SteerNetwork
from baselines.training.population import Population

NETWORKS = {"steer": SteerNetwork, "mat": MATNetwork}
DIM, MANY, BATCH = 8, 20, 3


@pytest.mark.parametrize("causal", [False, True])
def test_attention_over_many_tokens_is_the_formula(causal: bool) -> None:
    query, key, value = torch.randn(3, 2, 2, MANY, 4, dtype=torch.float64).unbind()
    scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / 2.0
    if causal:
        scores = scores.masked_fill(torch.ones(MANY, MANY).triu(1).bool(), -torch.inf)
    expected = torch.einsum("bhqk,bhkd->bhqd", scores.exp(), value) / scores.exp().sum(-1, keepdim=True)
    torch.testing.assert_close(attend(query, key, value, causal), expected)


@pytest.mark.parametrize("normalize", [True, False])
def test_observations_of_many_agents_are_encoded_as_with_one_hot_ids(normalize: bool) -> None:
    encoder = ObservationEncoder(5, MANY, DIM, normalize).double()
    for p in encoder.parameters():
        nn.init.normal_(p)
    observations = torch.randn(BATCH, MANY, 5, dtype=torch.float64)
    found, expected = encoder(observations), nn.Sequential.forward(encoder, with_agent_ids(observations))
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad(x.square().sum(), list(encoder.parameters())) for x in (found, expected))
    torch.testing.assert_close(*gradients)


def test_many_agents_are_displaced_like_few() -> None:
    displacement = Displacement(MANY, DIM)
    priority = torch.rand(BATCH, MANY).argsort(dim=-1)
    looked_up, multiplied = (displacement(Order(priority, dim)) for dim in (DIM, MANY))
    assert torch.equal(looked_up, multiplied)
    gradients = (torch.autograd.grad(x.square().sum(), displacement.weight) for x in (looked_up, multiplied))
    torch.testing.assert_close(*gradients)


def test_under_the_agents_own_order_many_learn_nothing_from_who_they_are() -> None:
    displacement = Displacement(MANY, DIM)
    own = displacement(Order(torch.arange(MANY).repeat(BATCH, 1), DIM))
    (gradient,) = torch.autograd.grad((own + torch.randn_like(own)).square().sum(), displacement.weight)
    assert not own.any()
    assert not gradient.any()


def inputs(runs: int, n: int) -> Inputs:
    """Random observations under random orders, (K, B, ...)."""
    return {
        "observation": torch.randn(runs, BATCH, n, 5),
        "action_mask": torch.rand(runs, BATCH, n, 3) < 0.8,
        "priority": torch.rand(runs, BATCH, n).argsort(dim=-1),
    }


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
def test_decisions_of_many_agents_are_judged_as_they_were_made(name: str, heads: int, runs: int) -> None:
    spec = PolicySpec(MANY, 5, None, 3, discrete=True)
    population = Population(partial(NETWORKS[name], spec, DIM, 2, heads), range(runs))
    for p in population.parameters.values():
        nn.init.normal_(p, std=0.5)
    seen = inputs(runs, MANY)
    seen["action_mask"][..., 0] = True
    decision = population.act(seen, torch.randn(runs, BATCH, MANY, 3))
    judged = population.evaluate(seen, decision.actions)
    torch.testing.assert_close(judged.log_probs, decision.log_probs, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(judged.values, decision.values, atol=1e-4, rtol=1e-4)


def kept_bytes(policy: SequentialPolicy, n: int) -> int:
    """What an evaluation keeps for its gradients, in bytes, each storage once."""
    storages: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        storages[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    seen = {key: x[0] for key, x in inputs(1, n).items()}
    with torch.autograd.graph.saved_tensors_hooks(keep, _identity):
        judged = policy.evaluate(seen, torch.zeros(BATCH, n, dtype=torch.int64))
        (judged.log_probs.sum() + judged.values.sum()).backward()  # type: ignore[no-untyped-call]
    return sum(storages.values())


def _identity(x: Any) -> Any:
    return x


@pytest.mark.parametrize("name", NETWORKS)
def test_memory_of_an_update_grows_with_agents_and_not_with_pairs_of_them(name: str) -> None:
    few, many = (
        kept_bytes(NETWORKS[name](PolicySpec(n, 5, None, 3, discrete=True), DIM, 1, 1), n) for n in (100, 400)
    )
    assert many < 4.1 * few
