"""STEER: the Stackelberg decision transformer.

Zhang et al., "Sequential Asynchronous Action Coordination in Multi-Agent Systems: A Stackelberg
Decision Transformer Approach", ICML 2024 (arXiv 2305.07856), section 5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.agent_ids import ObservationEncoder
from baselines.networks.displacement import Displacement, Order
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, encoder, head
from baselines.networks.policy import (
    Decision,
    Evaluation,
    Inputs,
    PolicySpec,
    SequentialPolicy,
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
        self.observation_encoder = ObservationEncoder(spec.obs_dim, spec.n, dim, spec.observation_norm)
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
        order = self._order(inputs)
        state_token, x = self._encode(inputs, order)
        mask = inputs.get("action_mask")
        caches, embed = self.outer.empty_caches(self.spec.n), self.actor.embedder(self.action_encoder)
        actions, log_probs, subgames = [], [], []
        token = state_token[:, 0]
        for position, here, drawn, legal, identity in zip(
            self.position.unbind(),
            x.unbind(dim=1),
            order.ranked(noise).unbind(dim=1),
            [None] * self.spec.n if mask is None else order.ranked(mask).unbind(dim=1),
            self.actor_identity(order).unbind(dim=1),
            strict=True,
        ):
            subgame = self._subgame(self.outer.step(token + position, caches), here)
            action, log_prob = self.actor.sample(subgame, drawn, legal)
            actions.append(action)
            log_probs.append(log_prob)
            subgames.append(subgame)
            token = embed(action) + identity
        values = self.critic(torch.stack(subgames, dim=1)).squeeze(-1)
        return Decision(*order.unranked(torch.stack(actions, dim=1), torch.stack(log_probs, dim=1), values))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        order = self._order(inputs)
        ordered, mask = order.ranked(actions), inputs.get("action_mask")
        subgames = self._embed(inputs, order, ordered)
        judged = self.actor.evaluate(subgames, ordered, None if mask is None else order.ranked(mask))
        return Evaluation(*order.unranked(*judged, self.critic(subgames).squeeze(-1)))

    def embed(self, inputs: Inputs, actions: Tensor) -> Tensor:
        order = self._order(inputs)
        return self._embed(inputs, order, order.ranked(actions))

    def _order(self, inputs: Inputs) -> Order:
        return Order(inputs["priority"], self.position.shape[1])

    def _embed(self, inputs: Inputs, order: Order, ordered: Tensor) -> Tensor:
        """Subgame states (B, n, D) for actions in order of rank."""
        state_token, x = self._encode(inputs, order)
        encoded = self.action_encoder(self.actor.encode(ordered[:, :-1]))
        tokens = torch.cat([state_token, encoded + self.actor_identity(order)[:, :-1]], dim=1)
        return self._subgame(self.outer(tokens + self.position), x)

    def _encode(self, inputs: Inputs, order: Order) -> tuple[Tensor, Tensor]:
        """Inner block: state token (B, 1, D) and agent embeddings (B, n, D) in order of rank."""
        embeddings = self.observation_encoder(inputs["observation"])
        ranked = order.ranked(embeddings) - self.rank_identity(order)
        tokens = self.inner(torch.cat([self.state_token(inputs), ranked], dim=1))
        return tokens[:, :1], tokens[:, 1:]

    def _subgame(self, z: Tensor, x: Tensor) -> Tensor:
        """Subgame-state embeddings from outer and inner ones, each (B, ..., D)."""
        z = z + x
        return self.norm(z + self.combine(z))
