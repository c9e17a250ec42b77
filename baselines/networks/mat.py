"""MAT: the multi-agent transformer.

Wen et al. 2022, "Multi-Agent Reinforcement Learning is a Sequence Modeling Problem" (arXiv 2205.14953).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from baselines.networks.attention import Cache, SelfAttention, attend, merge_heads, split_heads
from baselines.networks.displacement import Displacement
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, encoder, head, mlp
from baselines.networks.policy import (
    Decision,
    Evaluation,
    Inputs,
    PolicySpec,
    SequentialPolicy,
    take_agents,
    with_agent_ids,
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
        attended = attend(self.queries(representation), *self._keys_values(x), causal=True)
        return self._finish(representation, attended)

    def queries(self, representation: Tensor) -> Tensor:
        """Queries of all ranks, (B, heads, n, d)."""
        return split_heads(self.query(representation), self.heads)

    def step(self, x: Tensor, representation: Tensor, query: Tensor, caches: tuple[Cache, Cache]) -> Tensor:
        """The same for the token of one rank, (B, 1, dim), with its query (B, heads, 1, d)."""
        x = self.self_norm(x + self.self_attention.step(x, caches[0]))
        attended = attend(query, *caches[1].append(*self._keys_values(x)), causal=False)
        return self._finish(representation, attended)

    def _keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return split_heads(self.key(x), self.heads), split_heads(self.value(x), self.heads)

    def _finish(self, representation: Tensor, attended: Tensor) -> Tensor:
        x = self.cross_norm(representation + self.out(merge_heads(attended)))
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
        self.observation_encoder = encoder(spec.obs_dim + spec.n, dim, spec.observation_norm)
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
        order = inputs["priority"]
        representation, mask = self._encode(inputs)
        values = self.critic(representation).squeeze(-1)
        noise = take_agents(noise, order)
        blocks = [cast(DecoderBlock, block) for block in self.decoder]
        caches = [(Cache(self.spec.n), Cache(self.spec.n)) for _ in blocks]
        # Queries do not depend on actions, so those of all ranks are known beforehand.
        queries = [block.queries(representation) for block in blocks]
        token, actor_identity = self._start(representation), self.actor_identity(order)
        actions, log_probs = [], []
        for rank in range(self.spec.n):
            decoded, here = self.action_norm(token), representation[:, rank : rank + 1]
            for block, query, cache in zip(blocks, queries, caches, strict=True):
                decoded = block.step(decoded, here, query[:, :, rank : rank + 1], cache)
            action, log_prob = self.actor.sample(
                decoded[:, 0], noise[:, rank], None if mask is None else mask[:, rank]
            )
            actions.append(action)
            log_probs.append(log_prob)
            encoded = self.action_encoder(self.actor.encode(action)).unsqueeze(1)
            token = encoded + actor_identity[:, rank : rank + 1]
        back = order.argsort(dim=-1)
        decided = (torch.stack(actions, dim=1), torch.stack(log_probs, dim=1), values)
        return Decision(*(take_agents(part, back) for part in decided))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        order = inputs["priority"]
        representation, mask = self._encode(inputs)
        ordered = take_agents(actions, order)
        decoded = self._decode(representation, ordered, order)
        log_probs, entropies = self.actor.evaluate(decoded, ordered, mask)
        values = self.critic(representation).squeeze(-1)
        back = order.argsort(dim=-1)
        return Evaluation(*(take_agents(part, back) for part in (log_probs, entropies, values)))

    def embed(self, inputs: Inputs, actions: Tensor) -> Tensor:
        representation, _ = self._encode(inputs)
        order = inputs["priority"]
        return self._decode(representation, take_agents(actions, order), order)

    def _decode(self, representation: Tensor, ordered: Tensor, order: Tensor) -> Tensor:
        """Decoded tokens (B, n, dim) for actions in order of rank."""
        encoded = self.action_encoder(self.actor.encode(ordered[:, :-1]))
        superiors = encoded + self.actor_identity(order)[:, :-1]
        decoded = self.action_norm(torch.cat([self._start(representation), superiors], dim=1))
        for block in self.decoder:
            decoded = block(decoded, representation)
        return decoded

    def _encode(self, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        """Representation (B, n, dim) and masks, in order of rank."""
        order = inputs["priority"]
        embeddings = self.observation_norm(self.observation_encoder(with_agent_ids(inputs["observation"])))
        mask = inputs.get("action_mask")
        representation = self.encoder(take_agents(embeddings, order) - self.rank_identity(order))
        return representation, None if mask is None else take_agents(mask, order)

    def _start(self, representation: Tensor) -> Tensor:
        """The start token, (B, 1, dim)."""
        return self.start.expand(representation.shape[0], 1, -1)
