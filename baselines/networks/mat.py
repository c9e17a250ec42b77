"""MAT: the multi-agent transformer.

Wen et al. 2022, "Multi-Agent Reinforcement Learning is a Sequence Modeling Problem" (arXiv 2205.14953).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from baselines.networks.agent_ids import ObservationEncoder
from baselines.networks.attention import (
    Cache,
    SelfAttention,
    attend,
    head_rows,
    merge_heads,
    split_heads,
)
from baselines.networks.displacement import Displacement, Order
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, head, mlp
from baselines.networks.policy import (
    Decision,
    Evaluation,
    Inputs,
    PolicySpec,
    SequentialPolicy,
)


class EncoderBlock(nn.Module):
    """Unmasked self-attention and MLP, normalised after each, (B, n, dim)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(dim, heads, causal=False)
        self.attention_norm = nn.LayerNorm(dim)
        self.mlp = mlp(dim, dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_norm(x + self.attention(x))
        return self.mlp_norm(x + self.mlp(x))


class DecoderBlock(nn.Module):
    """Causal self-attention over actions, causal attention from observations to them, MLP.

    As in the authors' code, queries and skip connection of the second attention are the encoder's
    representation. They do not depend on actions; keys and values do, token by token, so both
    attentions decode with caches.

    Args:
        dim: embedding size.
        heads: number of heads.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.self_attention = SelfAttention(dim, heads, causal=True)
        self.self_norm = nn.LayerNorm(dim)
        self.query = Linear(dim, dim, OUTPUT_GAIN)
        self.key = Linear(dim, dim, OUTPUT_GAIN)
        self.value = Linear(dim, dim, OUTPUT_GAIN)
        self.out = Linear(dim, dim, OUTPUT_GAIN)
        self.cross_norm = nn.LayerNorm(dim)
        self.mlp = mlp(dim, dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, representation: Tensor) -> Tensor:
        """Action tokens and representation, both (B, n, dim), to decoded tokens (B, n, dim)."""
        x = self.self_norm(x + self.self_attention(x))
        query, key, value = (
            split_heads(part, self.heads) for part in (self.query(representation), self.key(x), self.value(x))
        )
        return self._finish(representation, merge_heads(attend(query, key, value, causal=True)))

    def step(self, x: Tensor, representation: Tensor, query: Tensor, caches: tuple[Cache, Cache]) -> Tensor:
        """The same for the token of one rank with its representation and query, (B, dim) each."""
        x = self.self_norm(x + self.self_attention.step(x, caches[0]))
        parts = (head_rows(part, self.heads) for part in (query, self.key(x), self.value(x)))
        return self._finish(representation, caches[1].attend(*parts).view(x.shape))

    def _finish(self, representation: Tensor, attended: Tensor) -> Tensor:
        x = self.cross_norm(representation + self.out(attended))
        return self.mlp_norm(x + self.mlp(x))


class MATNetwork(SequentialPolicy):
    """Encoder over observations with values, decoder over superiors' actions with the policy.

    Values come from the encoder alone and do not depend on superiors' actions; STEER's authors see in
    that the reason for MAT's results on matrix games. Agents decide in priority order; the authors'
    code knows only the identity. Identity comes from one-hot ids appended to observations; under other
    orders than the agents' own, action tokens also tell who acted and observation tokens who has which rank.

    Args:
        spec: sizes.
        dim: embedding size.
        blocks: blocks in each of encoder and decoder.
        heads: attention heads.
    """

    def __init__(self, spec: PolicySpec, dim: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.spec = spec
        self.observation_encoder = ObservationEncoder(spec.obs_dim, spec.n, dim, spec.observation_norm)
        self.observation_norm = nn.LayerNorm(dim)
        self.encoder = nn.Sequential(*(EncoderBlock(dim, heads) for _ in range(blocks)))
        self.critic = head(dim, 1)
        self.start = nn.Parameter(nn.init.trunc_normal_(torch.empty(dim), std=0.02))
        self.action_encoder = nn.Sequential(
            Linear(spec.action_width, dim, RELU_GAIN, bias=not spec.discrete), nn.GELU()
        )
        self.action_norm = nn.LayerNorm(dim)
        self.decoder = nn.ModuleList(DecoderBlock(dim, heads) for _ in range(blocks))
        self.actor = action_head(head(dim, spec.action_width), spec.action_width, spec.discrete)
        self.actor_identity = Displacement(spec.n, dim)
        self.rank_identity = Displacement(spec.n, dim)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        order = self._order(inputs)
        representation, mask = self._encode(inputs, order), inputs.get("action_mask")
        values = self.critic(representation).squeeze(-1)
        blocks = [cast(DecoderBlock, block) for block in self.decoder]
        caches = [(Cache(self.spec.n), Cache(self.spec.n)) for _ in blocks]
        embed = self.actor.embedder(self.action_encoder)
        actions, log_probs = [], []
        token = self._start(representation)[:, 0]
        for here, *queries, drawn, legal, identity in zip(
            representation.unbind(dim=1),
            # Queries do not depend on actions, so those of all ranks are known beforehand.
            *(block.query(representation).unbind(dim=1) for block in blocks),
            order.ranked(noise).unbind(dim=1),
            [None] * self.spec.n if mask is None else order.ranked(mask).unbind(dim=1),
            self.actor_identity(order).unbind(dim=1),
            strict=True,
        ):
            decoded = self.action_norm(token)
            for block, query, cache in zip(blocks, queries, caches, strict=True):
                decoded = block.step(decoded, here, query, cache)
            action, log_prob = self.actor.sample(decoded, drawn, legal)
            actions.append(action)
            log_probs.append(log_prob)
            token = embed(action) + identity
        return Decision(*order.unranked(torch.stack(actions, dim=1), torch.stack(log_probs, dim=1), values))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        order = self._order(inputs)
        representation, mask = self._encode(inputs, order), inputs.get("action_mask")
        ordered = order.ranked(actions)
        decoded = self._decode(representation, ordered, order)
        judged = self.actor.evaluate(decoded, ordered, None if mask is None else order.ranked(mask))
        return Evaluation(*order.unranked(*judged, self.critic(representation).squeeze(-1)))

    def embed(self, inputs: Inputs, actions: Tensor) -> Tensor:
        order = self._order(inputs)
        return self._decode(self._encode(inputs, order), order.ranked(actions), order)

    def _order(self, inputs: Inputs) -> Order:
        return Order(inputs["priority"], len(self.start))

    def _decode(self, representation: Tensor, ordered: Tensor, order: Order) -> Tensor:
        """Decoded tokens (B, n, dim) for actions in order of rank."""
        encoded = self.action_encoder(self.actor.encode(ordered[:, :-1]))
        superiors = encoded + self.actor_identity(order)[:, :-1]
        decoded = self.action_norm(torch.cat([self._start(representation), superiors], dim=1))
        for block in self.decoder:
            decoded = block(decoded, representation)
        return decoded

    def _encode(self, inputs: Inputs, order: Order) -> Tensor:
        """Representation (B, n, dim), in order of rank."""
        embeddings = self.observation_norm(self.observation_encoder(inputs["observation"]))
        return self.encoder(order.ranked(embeddings) - self.rank_identity(order))

    def _start(self, representation: Tensor) -> Tensor:
        """The start token, (B, 1, dim)."""
        return self.start.expand(representation.shape[0], 1, -1)
