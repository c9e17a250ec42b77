"""What a joint policy does with random inputs, far from the nearly uniform policy that it starts as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from baselines.algorithms.spec import AlgorithmSpec
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec, take_agents

ROWS, N, OBS_DIM, STATE_DIM = 6, 3, 5, 7
NEAR = 1e-4
"""How far numbers may lie apart that are computed in two ways, as a share of the largest of them."""
SIZES = {
    "discrete actions": PolicySpec(N, OBS_DIM, None, 3, discrete=True),
    "discrete actions and a state": PolicySpec(N, OBS_DIM, STATE_DIM, 3, discrete=True),
    "continuous actions": PolicySpec(N, OBS_DIM, None, 2, discrete=False),
    "continuous actions and a state": PolicySpec(N, OBS_DIM, STATE_DIM, 2, discrete=False),
}


def of_policies(spec: AlgorithmSpec, config: Any) -> Iterator[str]:
    """Findings about the policies of an algorithm, the first of every kind of game that it plays.

    Args:
        spec: the algorithm.
        config: its configuration.
    """
    for kind, sizes in SIZES.items():
        if not (sizes.discrete or not spec.discrete_only):
            continue
        shared = replace(sizes, fully_observed=spec.needs_shared_state)
        try:
            finding = next(_of_policy(spec, config, shared), None)
        # Whatever others' code raises.
        except Exception as error:
            finding = f"it raises {type(error).__name__}: {error}"
        if finding is not None:
            yield f"with {kind}: {finding}"


def _of_policy(spec: AlgorithmSpec, config: Any, sizes: PolicySpec) -> Iterator[str]:
    policy, again = (_build(spec, config, sizes) for _ in range(2))
    batch = ROWS * policy.chunk_length
    inputs = _inputs(sizes, policy.memory_width, batch)
    noise = torch.randn(batch, N, sizes.action_width, generator=torch.Generator().manual_seed(2))
    if not all(map(torch.equal, policy.parameters(), again.parameters())):
        yield "two policies of one seed differ; expected that build draws from torch's own generator alone"
    with torch.no_grad():
        decision = policy.act(inputs, noise)
        judged = _judge(policy, inputs, decision.actions)
        yield from _shapes(sizes, batch, decision, judged)
        for name in ("log_probs", "values"):
            one, other = getattr(decision, name), getattr(judged, name)
            apart = float((one - other).abs().max())
            if not apart <= NEAR * max(1.0, float(one.abs().max())):
                yield f"act and evaluate give {name} that differ by up to {apart:.3g}; expected the same"
        yield from _sights(spec, sizes, policy, inputs, decision.actions)
        if sizes.discrete and not bool(
            inputs["action_mask"].gather(-1, decision.actions.unsqueeze(-1)).all()
        ):
            yield "an agent takes an action that its mask forbids"
        yield from _greed(policy, inputs, judged, torch.zeros_like(noise))


def _build(spec: AlgorithmSpec, config: Any, sizes: PolicySpec) -> JointPolicy:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        policy = spec.build(config, sizes)
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return policy


def _inputs(sizes: PolicySpec, memory_width: int, batch: int) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    inputs = {
        "observation": torch.randn(batch, N, OBS_DIM, generator=generator),
        "priority": torch.rand(batch, N, generator=generator).argsort(dim=-1),
        "alive": torch.ones(batch, N, dtype=torch.bool),
    }
    if sizes.state_dim is not None:
        inputs["state"] = torch.randn(batch, sizes.state_dim, generator=generator)
    if sizes.discrete:
        mask = torch.rand(batch, N, sizes.action_width, generator=generator) < 0.7
        mask[..., 0] = True
        inputs["action_mask"] = mask
    if memory_width:
        inputs["memory"] = torch.zeros(batch, N, memory_width)
    return inputs


def _judge(policy: JointPolicy, inputs: Inputs, actions: Tensor) -> Evaluation:
    if not policy.memory_width:
        return policy.evaluate(inputs, actions)
    # Every row is the first of its episode, so that it remembers nothing of the one before it.
    return policy.evaluate(inputs | {"fresh": torch.ones_like(inputs["alive"])}, actions)


def _shapes(sizes: PolicySpec, batch: int, decision: Decision, judged: Evaluation) -> Iterator[str]:
    dtype, width = (torch.int64, ()) if sizes.discrete else (torch.float32, (sizes.action_width,))
    expected: dict[str, tuple[Tensor, torch.dtype, tuple[int, ...]]] = {
        "act's actions": (decision.actions, dtype, (batch, N, *width)),
        "act's log_probs": (decision.log_probs, torch.float32, (batch, N)),
        "act's values": (decision.values, torch.float32, (batch, N)),
        "evaluate's log_probs": (judged.log_probs, torch.float32, (batch, N)),
        "evaluate's entropies": (judged.entropies, torch.float32, (batch, N)),
        "evaluate's values": (judged.values, torch.float32, (batch, N)),
    }
    for what, (value, kind, shape) in expected.items():
        if value.dtype != kind or value.shape != shape:
            yield f"{what} are {value.dtype} {tuple(value.shape)}; expected {kind} {shape}"


def _greed(policy: JointPolicy, inputs: Inputs, judged: Evaluation, no_noise: Tensor) -> Iterator[str]:
    """Whether the first to decide does what is likeliest; those after it see something else than before."""
    greedy = _judge(policy, inputs, policy.act(inputs, no_noise).actions)
    first = inputs["priority"][:, :1]
    likely, other = (take_agents(one.log_probs, first) for one in (greedy, judged))
    if bool((likely < other - NEAR).any()):
        yield "without noise an agent does something less likely than with it; expected the likeliest action"


def _sights(
    spec: AlgorithmSpec, sizes: PolicySpec, policy: JointPolicy, inputs: Inputs, actions: Tensor
) -> Iterator[str]:
    """Who sees whose actions: change what agents from some rank on do, and look at the others."""
    order = inputs["priority"]
    before = _judge(policy, inputs, actions)
    for rank in range(N):
        after = _judge(policy, inputs, _changed(sizes, actions, order[:, rank:]))
        for name, last in (("log_probs", rank), ("entropies", rank + 1), ("values", rank + 1)):
            one, other = (take_agents(getattr(x, name), order[:, :last]) for x in (before, after))
            if not torch.equal(one, other):
                yield f"{name} of an agent depend on what agents of later ranks do; nobody may see followers"
                return
    after = _judge(policy, inputs, _changed(sizes, actions, order[:, :1]))
    one, other = (take_agents(x.log_probs, order[:, 1:]) for x in (before, after))
    if spec.sequential == torch.equal(one, other):
        seen = (
            "see what those before them do" if not spec.sequential else "do not see what those before them do"
        )
        yield f"agents {seen}, and its row says sequential={spec.sequential}"


def _changed(sizes: PolicySpec, actions: Tensor, agents: Tensor) -> Tensor:
    """Other actions of some agents (B, m)."""
    changed, rows = actions.clone(), torch.arange(len(actions))
    for column in agents.unbind(dim=1):
        own = changed[rows, column]
        changed[rows, column] = (own + 1) % sizes.action_width if sizes.discrete else own + 1.0
    return changed
