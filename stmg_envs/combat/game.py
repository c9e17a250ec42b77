"""Skirmish: a team of agents against the enemies of one of SMAC's maps."""

from __future__ import annotations

from typing import get_args

import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from stmg_envs.arguments import require_count, require_positive
from stmg_envs.combat.army import muster
from stmg_envs.combat.battle import Battle, begin
from stmg_envs.combat.ground import directions, walkable
from stmg_envs.combat.layout import NO_OP, SIGHT, STOP, Flags, Layout, Sighting
from stmg_envs.combat.rewards import (
    RewardKind,
    RewardScheme,
    battle_rewards,
    end_codes,
    losses,
    own_rewards,
)
from stmg_envs.combat.scenarios import SCENARIOS, SIZE
from stmg_envs.combat.spawning import places
from stmg_envs.combat.targeting import Attention
from stmg_envs.combat.timestep import Timestep, agents_orders
from stmg_envs.combat.units import LOOPS_PER_SECOND
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Game, Outcome, State, Streams

HIGHEST = 40.0
"""No number of a state is greater: a cooldown by what SMAC divides it."""


class Skirmish(Game):
    """A team of agents against the enemies of one of SMAC's maps."""

    def __init__(
        self,
        map: str = "3m",
        reward: RewardKind = "team",
        max_steps: int | None = None,
        flags: Flags = Flags(),
        scheme: RewardScheme = RewardScheme(),
        attention: Attention = Attention(),
    ) -> None:
        if map not in SCENARIOS:
            raise InvalidArgumentError(f"map={map!r} is unknown; expected one of {sorted(SCENARIOS)}")
        if reward not in get_args(RewardKind):
            raise InvalidArgumentError(
                f"reward={reward!r} is unknown; expected one of {list(get_args(RewardKind))}"
            )
        self.map, self.reward, self.scheme = map, reward, scheme
        self.scenario = SCENARIOS[map]
        self.max_steps = self.scenario.limit if max_steps is None else max_steps
        require_count("max_steps", self.max_steps, 1)
        require_positive(scan=attention.scan, leash=attention.leash)
        self.army = muster(self.scenario)
        cells = walkable(self.scenario.ground)
        self.layout = Layout(self.scenario, self.army, flags, cells, torch.zeros(SIZE, SIZE))
        way = directions(cells, self.scenario.goal)
        death_value = scheme.death_value if reward == "own_damage" else None
        self.timestep = Timestep(self.army, cells, way, attention, death_value)
        self.places = places(self.scenario)
        kinds = self.scenario.ally_types
        self.agents = tuple(f"{kind}_{kinds[:i].count(kind)}" for i, kind in enumerate(kinds))
        self.action_spaces = (Discrete(self.layout.actions),) * len(kinds)
        self.observation_space = Box(-1.0, 1.0, (self.layout.obs_size,))
        self.state_space = Box(-HIGHEST, HIGHEST, (self.layout.state_size,))

    def reset(self, streams: Streams) -> State:
        batch = len(streams.keys)
        x, y = (place[:, None].repeat(1, batch) for place in self.places.unbind(1))
        battle = begin(self.army, x, y)
        actions = torch.zeros(batch, self.n, dtype=torch.int64)
        return self._seen(battle, actions, torch.zeros(batch, dtype=torch.int64))

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        n, army = self.n, self.army
        alive = self.alive(state)
        legal = state["legal"].gather(2, actions[..., None])[..., 0]
        actions = torch.where(alive, torch.where(legal, actions, STOP), NO_OP)
        battle = Battle.of(state)
        before = (battle.health + battle.shield).t()
        dealt = self.timestep.run(
            battle, agents_orders(battle, army, actions.t()), streams.uniform(len(army.kinds)).t()
        )
        lost = losses(before, (battle.health + battle.shield).t())
        over, won, beaten = end_codes(battle.health.t(), army)
        if self.reward == "team":
            rewards = battle_rewards(lost, n, self.scheme)[:, None].expand(-1, n)
        else:
            rewards = own_rewards(self.reward, lost, dealt.t()[:, :n], n, self.scheme)
        rewards = self.scheme.finished(rewards, won, beaten, self.reward, n) * self.scheme.factor(army)
        deaths = battle.health.t() <= 0
        metrics = {
            "battle_won": won.float(),
            "dead_allies": deaths[:, :n].sum(dim=1).float(),
            "dead_enemies": deaths[:, n:].sum(dim=1).float(),
        }
        successor = self._seen(battle, actions, state["elapsed"] + 1)
        return Outcome(successor, torch.where(alive, rewards, 0.0), over, metrics)

    def observe(self, state: State) -> Tensor:
        return self.layout.observe(self._sighting(state), state["legal"])

    def global_state(self, state: State) -> Tensor:
        sighting = self._sighting(state)
        if self.layout.flags.obs_instead_of_state:
            return self.layout.observe(sighting, state["legal"]).flatten(1)
        return self.layout.state(sighting)

    def action_mask(self, state: State) -> Tensor:
        return state["legal"]

    def alive(self, state: State) -> Tensor:
        return state["health"][:, : self.n] > 0

    def neighbors(self, state: State) -> Tensor:
        alive = self.alive(state)
        x, y = state["x"][:, : self.n], state["y"][:, : self.n]
        dx, dy = x[:, :, None] - x[:, None], y[:, :, None] - y[:, None]
        near = (dx * dx + dy * dy).sqrt() < SIGHT
        near = near & alive[:, :, None] & alive[:, None]
        return near & ~torch.eye(self.n, dtype=torch.bool, device=x.device)

    def _seen(self, battle: Battle, actions: Tensor, elapsed: Tensor) -> State:
        """The state of battles, with what agents may do in it."""
        state = battle.state() | {"last_action": actions, "elapsed": elapsed}
        return state | {"legal": self.layout.mask(self._sighting(state))}

    def _sighting(self, state: State) -> Sighting:
        n = self.n
        loops = state["cooldown"][:, :n].clamp(min=0) * LOOPS_PER_SECOND
        charge = torch.where(self.layout.healers, state["energy"][:, :n], loops)
        return Sighting(
            state["x"],
            state["y"],
            state["health"],
            state["shield"],
            charge,
            state["last_action"],
            state["elapsed"],
        )
