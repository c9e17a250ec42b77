"""STEER: the Stackelberg decision transformer.

Zhang et al., "Sequential Asynchronous Action Coordination in Multi-Agent Systems: A Stackelberg
Decision Transformer Approach", ICML 2024 (arXiv 2305.07856), section 5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.displacement import Displacement
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, encoder, head
from baselines.networks.policy import (
    Decision,
    Evaluation,
    Inputs,
    PolicySpec,
    SequentialPolicy,
    take_agents,
    with_agent_ids,
)
from baselines.networks.sequence import inner_part, outer_part


class StateToken(nn.Module):
    """Token 0 from the global state: (B, 1, dim)."""

    def __init__(self, state_dim: int, dim: int, normalize: bool) -> None:
        super().__init__()
        self.encoder = encoder(state_dim, dim, normalize)

    def forward(self, inputs: Inputs) -> Tensor:
        return self.encoder(inputs["state"]).unsqueeze(1)


class ClassToken(nn.Module):
    """A learned token 0 for games without a global state: (B, 1, dim)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.token = nn.Parameter(nn.init.trunc_normal_(torch.empty(dim), std=0.02))

    def forward(self, inputs: Inputs) -> Tensor:
        return self.token.expand(inputs["observation"].shape[0], 1, -1)


class SteerNetwork(SequentialPolicy):
    """Inner block over state and observations, outer causal block over superiors' actions.

    Tokens stand in order of rank. The inner block (ITB, equations 6-8) attends without mask over
    [e^0, e^1, ..., e^n], where e^0 encodes the global state or is a learned class token. The outer
    block (OTB, equations 9-11) attends causally over [s^0, a^1, ..., a^n]; its position r - 1 has seen
    s^0 and the actions of ranks 1..r-1. Its sum with x^r is the subgame state of rank r, from which
    both heads read (equations 12-13).

    The paper adds a position embedding to the ITB; the authors' code does not and takes the agents'
    identity from one-hot ids in the observations. We append those ids here, so that a game need
    not, and positions to the OTB, as the code does. Paper and code know one order, in which the rank says
    who an action token is from, and the id which rank an observation token has. Under other orders each
    token is displaced by what the other one does not say: values of subgame states depend on who did what,
    and on who is still to decide in which order.

    Args:
        spec: sizes.
        dim: embedding size.
        blocks: blocks in each of ITB and OTB.
        heads: attention heads.
        use_state: whether token 0 encodes the global state where there is one.
        inner: "attention", or what stands in its place in an ablation: "mlp", "none".
        outer: "attention", or what stands in its place in an ablation: "gru", "none".
    """

    def __init__(
        self,
        spec: PolicySpec,
        dim: int,
        blocks: int,
        heads: int,
        use_state: bool = True,
        inner: str = "attention",
        outer: str = "attention",
    ) -> None:
        super().__init__()
        self.spec = spec
        self.observation_encoder = encoder(spec.obs_dim + spec.n, dim, spec.observation_norm)
        with_state = use_state and spec.state_dim is not None
        self.state_token: nn.Module = (
            StateToken(spec.state_dim or 0, dim, spec.observation_norm) if with_state else ClassToken(dim)
        )
        self.inner = inner_part(inner, dim, blocks, heads)
        self.action_encoder = nn.Sequential(
            Linear(spec.action_width, dim, RELU_GAIN, bias=not spec.discrete), nn.GELU()
        )
        self.position = nn.Parameter(torch.zeros(spec.n, dim))
        self.outer = outer_part(outer, dim, blocks, heads)
        self.combine = nn.Sequential(
            nn.LayerNorm(dim), Linear(dim, dim, RELU_GAIN), nn.GELU(), Linear(dim, dim, OUTPUT_GAIN)
        )
        self.norm = nn.LayerNorm(dim)
        self.actor = action_head(head(dim, spec.action_width), spec.action_width, spec.discrete)
        self.critic = head(dim, 1)
        self.actor_identity = Displacement(spec.n, dim)
        self.rank_identity = Displacement(spec.n, dim)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        order = inputs["priority"]
        state_token, x, mask = self._encode(inputs)
        noise = take_agents(noise, order)
        caches = self.outer.empty_caches(self.spec.n)
        actions, log_probs, subgames = [], [], []
        token, actor_identity = state_token, self.actor_identity(order)
        for rank in range(self.spec.n):
            z = self.outer.step(token + self.position[rank], caches)
            subgame = self._subgame(z, x[:, rank : rank + 1])[:, 0]
            action, log_prob = self.actor.sample(
                subgame, noise[:, rank], None if mask is None else mask[:, rank]
            )
            actions.append(action)
            log_probs.append(log_prob)
            subgames.append(subgame)
            encoded = self.action_encoder(self.actor.encode(action)).unsqueeze(1)
            token = encoded + actor_identity[:, rank : rank + 1]
        values = self.critic(torch.stack(subgames, dim=1)).squeeze(-1)
        back = order.argsort(dim=-1)
        decided = (torch.stack(actions, dim=1), torch.stack(log_probs, dim=1), values)
        return Decision(*(take_agents(part, back) for part in decided))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        order = inputs["priority"]
        mask = inputs.get("action_mask")
        subgames = self.embed(inputs, actions)
        log_probs, entropies = self.actor.evaluate(
            subgames, take_agents(actions, order), None if mask is None else take_agents(mask, order)
        )
        values = self.critic(subgames).squeeze(-1)
        back = order.argsort(dim=-1)
        return Evaluation(*(take_agents(part, back) for part in (log_probs, entropies, values)))

    def embed(self, inputs: Inputs, actions: Tensor) -> Tensor:
        state_token, x, _ = self._encode(inputs)
        order = inputs["priority"]
        superiors = take_agents(actions, order)[:, :-1]
        encoded = self.action_encoder(self.actor.encode(superiors)) + self.actor_identity(order)[:, :-1]
        tokens = torch.cat([state_token, encoded], dim=1)
        return self._subgame(self.outer(tokens + self.position), x)

    def _encode(self, inputs: Inputs) -> tuple[Tensor, Tensor, Tensor | None]:
        """Inner block: state token (B, 1, D), agent embeddings (B, n, D) and masks in order of rank."""
        order = inputs["priority"]
        embeddings = self.observation_encoder(with_agent_ids(inputs["observation"]))
        ranked = take_agents(embeddings, order) - self.rank_identity(order)
        tokens = self.inner(torch.cat([self.state_token(inputs), ranked], dim=1))
        mask = inputs.get("action_mask")
        return tokens[:, :1], tokens[:, 1:], None if mask is None else take_agents(mask, order)

    def _subgame(self, z: Tensor, x: Tensor) -> Tensor:
        """Subgame-state embeddings from outer (B, k, D) and inner (B, k, D) embeddings."""
        z = z + x
        return self.norm(z + self.combine(z))
