"""Skirmish: a team of agents against the enemies of one of SMAC's maps, or against another team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from stmg_envs.arguments import require_choice, require_count, require_number, require_positive
from stmg_envs.combat.army import muster
from stmg_envs.combat.battle import Battle, begin
from stmg_envs.combat.ground import directions, walkable
from stmg_envs.combat.layout import SIGHT, STOP, Flags, Layout
from stmg_envs.combat.opponents import Opponent, commanded, require_opponent
from stmg_envs.combat.orders import give_orders
from stmg_envs.combat.rendering import draw, figures, write
from stmg_envs.combat.rewards import RewardKind, RewardScheme, end_codes, losses
from stmg_envs.combat.scenarios import SCENARIOS, SIZE
from stmg_envs.combat.spawning import places
from stmg_envs.combat.targeting import Attention
from stmg_envs.combat.team import Team, turned
from stmg_envs.combat.timestep import Timestep
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Game, Outcome, State, Streams

Dead = Literal["leave", "stay"]
"""Whether agents that die leave the game, or stay without being able to do anything, as in SMAC."""
HIGHEST = 40.0
"""No number of a state is greater: a cooldown by what SMAC divides it."""


class Skirmish(Game):
    """A team of agents against the enemies of one of SMAC's maps, or against another team.

    SMAC (Samvelyan et al. 2019) has StarCraft II compute its battles. This game computes them itself, in
    batches: units, maps, orders, observations, states, masks, rewards and ends are SMAC's, as far as they can
    be read or decoded; how units choose targets, push and spread is closed in StarCraft, and ours here. So it
    is a game of its own, and no number of it stands beside a published one of SMAC. It was never compared
    with StarCraft II itself, which does not run where it was made.

    | Space       | Each of n agents against m enemies                                                      |
    |-------------|-----------------------------------------------------------------------------------------|
    | Action      | Discrete(6 + m): nothing (the dead), stop, north, south, east, west, attack enemy k     |
    | Observation | Box: SMAC's, 30 numbers on 3m, see below                                                |
    | State       | Box: SMAC's, 48 numbers on 3m                                                           |

    | Observation         | Numbers                                                                         |
    |---------------------|---------------------------------------------------------------------------------|
    | 4                   | which moves are free (and with flags the ground around)                         |
    | per enemy           | whether it can be attacked, distance, x, y, health, shield, kind                |
    | per other agent     | 1, distance, x, y, health, shield, kind (and with a flag its last action)       |
    | own                 | health, shield, kind                                                            |

    Distances and places are shares of the sight of 9 cells, health and shields of what there is at most;
    shields stand where the side has them, kinds one-hot where there are several. Who is dead or out of sight
    is 0.

    **Actions.** A move goes towards a point 2 cells away, of which half a second covers 1.125 at most units'
    speed. An attack walks into range and fires until told otherwise; a medivac's actions 6, 7, ... heal
    agents instead. Agents never fire unordered. Targets within 6 cells are legal, whatever a unit's range.

    **Dynamics.** A timestep has eight ticks of 1/16 s. In each, units turn to their targets, walk, are kept
    off walls and off each other, and all that strikes does so at once; then shields, Zerg and energy
    regenerate. Data of units are those of StarCraft II's base game (`stmg_envs.combat.units`). Attacks come
    up to an eighth of a second later than their period says, or a sixteenth sooner, which is all that is
    random.

    **Enemies.** Ordered once, to where the agents begin, fighting on the way. They keep a target in range
    while it lives (`sticky`); else take the closest within `scan`; else go on after whom they followed, who
    hurt them, or who hurt a friend within `help`, up to `leash`.

    **Opponents.** "scripted": as above. "idle": they stand and do nothing. "agents": every enemy is an agent
    as well, so that two teams that learn meet; each sees, may do and is paid what SMAC's layouts say of its
    own side, with zeros behind where the other side's are longer, and the global state is both sides' one
    after the other. In turns the allies decide before the enemies unless a priority says otherwise, so
    enemies see what the allies are about to do. A function of the enemies' observations and masks: it
    decides for them, for instance a policy of before.

    **Rewards.** "team": SMAC's, the same for all who lived: what the enemies lost of health and shields, 10
    for each of them who died and 200 for victory, scaled so that 20 is the most. As in SMAC shields that come
    back pay as well (`reward_gains`). "own_health" and "own_damage" are each agent's own, in the manner of
    DRIMA (section 4.3, which publishes no coefficients): the enemies' losses less half of one's own health
    and death; or what one has dealt and killed, with equal parts of the victory.

    **Metrics.** `battle_won`, `dead_allies`, `dead_enemies`; among two teams of agents `enemies_won` as well.

    **Episode end.** Terminates when a side is dead, but for its medivacs; truncates after the map's limit,
    where SMAC says terminated. An agent that dies is out: it decides and gets nothing any more. With
    `dead="stay"` it goes on as in SMAC: it sees zeros, can only do nothing, and is paid like the others, so
    that it matters to it what becomes of its team.

    **Neighbours.** Living agents of a team within sight of each other.

    Args:
        map: one of `stmg_envs.combat.SCENARIOS`.
        reward: "team", "own_health" or "own_damage".
        opponent: "scripted", "idle", "agents", or a function that plays the enemies.
        dead: "leave" or "stay": what becomes of agents that die.
        max_steps: time limit; the map's by default.
        obs_all_health: whether others' health is seen.
        obs_own_health: whether one's own is.
        obs_last_action: whether the other agents' last actions are.
        obs_pathing_grid: whether eight cells around are shown.
        obs_terrain_height: whether heights are, which are 0 here.
        obs_timestep_number: whether the time is.
        state_last_action: whether the state has all last actions.
        state_timestep_number: whether it has the time.
        obs_instead_of_state: whether it is all observations.
        reward_only_positive: whether what befalls the agents counts for nothing.
        reward_negative_scale: its weight.
        reward_death_value: of every death.
        reward_win: for victory.
        reward_defeat: for defeat.
        reward_sparse: 1 and -1 for victory and defeat alone.
        reward_scale: whether rewards are scaled.
        reward_scale_rate: the most that can be had then.
        reward_gains: whether health that comes back pays, as in SMAC; SMACv2 has it count nothing.
        scan: how far enemies look, from edge to edge, cells; their range if that is more.
        leash: how far they follow, cells.
        sticky: whether they keep targets that live and are in range.
        help: within which distance they help friends, cells.

    Raises:
        InvalidArgumentError: for an argument out of range.

    **Version history.** v0: first version.
    """

    def __init__(
        self,
        map: str = "3m",
        reward: RewardKind = "team",
        opponent: Opponent = "scripted",
        dead: Dead = "leave",
        max_steps: int | None = None,
        obs_all_health: bool = True,
        obs_own_health: bool = True,
        obs_last_action: bool = False,
        obs_pathing_grid: bool = False,
        obs_terrain_height: bool = False,
        obs_timestep_number: bool = False,
        state_last_action: bool = True,
        state_timestep_number: bool = False,
        obs_instead_of_state: bool = False,
        reward_only_positive: bool = True,
        reward_negative_scale: float = 0.5,
        reward_death_value: float = 10.0,
        reward_win: float = 200.0,
        reward_defeat: float = 0.0,
        reward_sparse: bool = False,
        reward_scale: bool = True,
        reward_scale_rate: float = 20.0,
        reward_gains: bool = True,
        scan: float = 5.0,
        leash: float = 21.0,
        sticky: bool = True,
        help: float = 4.0,
    ) -> None:
        if map not in SCENARIOS:
            raise InvalidArgumentError(f"map={map!r} is unknown; expected one of {sorted(SCENARIOS)}")
        for argument, value, expected in (("reward", reward, RewardKind), ("dead", dead, Dead)):
            require_choice(argument, value, get_args(expected))
        require_opponent(opponent)
        for name in ("reward_negative_scale", "reward_death_value", "reward_win", "reward_defeat"):
            require_number(name, locals()[name])
        require_positive(scan=scan, leash=leash, reward_scale_rate=reward_scale_rate)
        require_number("help", help)
        self.map, self.reward, self.opponent, self.dead = map, reward, opponent, dead
        self.scenario = SCENARIOS[map]
        self.max_steps = self.scenario.limit if max_steps is None else max_steps
        require_count("max_steps", self.max_steps, 1)
        self.scheme = RewardScheme(
            reward_only_positive,
            reward_negative_scale,
            reward_death_value,
            reward_win,
            reward_defeat,
            reward_sparse,
            reward_scale,
            reward_scale_rate,
            reward_gains,
        )
        self.flags = Flags(
            obs_all_health,
            obs_own_health,
            obs_last_action,
            obs_pathing_grid,
            obs_terrain_height,
            obs_timestep_number,
            state_last_action,
            state_timestep_number,
            obs_instead_of_state,
        )
        self.attention = Attention(scan, leash, sticky, help)
        self._device = torch.device("cpu")
        self._compiled = False
        self._build()
        kinds, units = self.scenario.ally_types, range(len(self.army.kinds))
        n = len(kinds)
        self.agents = tuple(f"{kind}_{kinds[:i].count(kind)}" for i, kind in enumerate(kinds))
        if len(self.teams) == 2:
            # By what the allies' actions call them.
            self.agents += tuple(f"enemy_{k}" for k in range(self.army.m))
            self.sides = {"allies": tuple(units[:n]), "enemies": tuple(units[n:])}
        layouts = [team.layout for team in self.teams]
        self.action_spaces = (Discrete(max(layout.actions for layout in layouts)),) * len(self.agents)
        self.observation_space = Box(-1.0, 1.0, (max(layout.obs_size for layout in layouts),))
        self.state_space = Box(-HIGHEST, HIGHEST, (sum(layout.state_size for layout in layouts),))

    def reset(self, streams: Streams) -> State:
        self._use(streams.keys.device)
        batch = len(streams.keys)
        x, y = (place[:, None].repeat(1, batch) for place in self._places.unbind(1))
        actions = torch.zeros(batch, len(self.army.kinds), dtype=torch.int64, device=self._device)
        return self._seen(begin(self.army, x, y), actions, torch.zeros_like(actions[:, 0]))

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        self._use(actions.device)
        army, alive = self.army, self.alive(state)
        actions = self._decided(state, actions)
        battle = Battle.of(state)
        before = (battle.health + battle.shield).t()
        orders = give_orders(battle, army, actions.t()[: army.n if self.opponent == "scripted" else None])
        dealt = self._timestep.run(battle, orders, streams.uniform(len(army.kinds)).t())
        lost = losses(before, (battle.health + battle.shield).t())
        over, won, beaten = end_codes(battle.health.t(), army)
        rewards = [
            team.rewards(self.reward, self.scheme, lost, dealt.t(), (won, beaten)) for team in self.teams
        ]
        dead = battle.health.t() <= 0
        metrics = {
            "battle_won": won.float(),
            "dead_allies": dead[:, : army.n].sum(dim=1).float(),
            "dead_enemies": dead[:, army.n :].sum(dim=1).float(),
        }
        if len(self.teams) == 2:
            metrics["enemies_won"] = beaten.float()
        successor = self._seen(battle, actions, state["elapsed"] + 1)
        return Outcome(successor, torch.where(alive, torch.cat(rewards, dim=1), 0.0), over, metrics)

    def observe(self, state: State) -> Tensor:
        self._use(state["x"].device)
        masks = zip(self.teams, self._masks(state), strict=True)
        return _joined([team.observe(state, mask) for team, mask in masks])

    def global_state(self, state: State) -> Tensor:
        self._use(state["x"].device)
        masks = zip(self.teams, self._masks(state), strict=True)
        return torch.cat([team.state(state, mask) for team, mask in masks], dim=1)

    def action_mask(self, state: State) -> Tensor:
        return state["legal"]

    def alive(self, state: State) -> Tensor:
        living = self._living(state)
        return living if self.dead == "leave" else torch.ones_like(living)

    def neighbors(self, state: State) -> Tensor:
        alive = self._living(state)
        x, y = state["x"][:, : self.n], state["y"][:, : self.n]
        dx, dy = x[:, :, None] - x[:, None], y[:, :, None] - y[:, None]
        near = (dx * dx + dy * dy).sqrt() < SIGHT
        ally = torch.arange(self.n, device=x.device) < self.army.n
        friends = (ally[:, None] == ally) & ~torch.eye(self.n, dtype=torch.bool, device=x.device)
        return near & alive[:, :, None] & alive[:, None] & friends

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        first = {name: value[:1] for name, value in state.items()}
        enemies = [f"enemy {kind} {k}" for k, kind in enumerate(self.scenario.enemy_types)]
        shown = figures([*self.agents[: self.army.n], *enemies], self.army, first)
        living = [sum(f.health > 0 for f in shown if f.ally is side) for side in (True, False)]
        caption = f"{self.map}: {living[0]} allies against {living[1]}, {float(first['elapsed'][0]) / 2:g} s"
        if mode == "ansi":
            return write(shown, caption)
        edges = [(int(i), int(j)) for i, j in self.neighbors(first)[0].nonzero() if i < j]
        order = tuple(range(self.n)) if priority is None else priority
        return draw(shown, self._cells.cpu().numpy(), edges, order, caption)

    def compile(self) -> None:
        """Have the ticks compiled from now on, which makes them several times as fast.

        The first step of every batch size then takes some ten seconds, and numbers may be rounded
        differently. `torch.compile` needs a C++ compiler on a CPU.
        """
        self._compiled = True
        self._build()

    def _build(self) -> None:
        """Make the rules and their constants, on the device."""
        cells = walkable(self.scenario.ground)
        way = directions(cells, self.scenario.goal)
        self._cells = cells.to(self._device)
        height = torch.zeros(SIZE, SIZE, device=self._device)
        sides = [
            Team(Layout(scenario, muster(scenario).to(self._device), self.flags, self._cells, height), behind)
            for scenario, behind in ((self.scenario, False), (turned(self.scenario), True))
        ]
        self.army = sides[0].army
        self.teams = tuple(sides if self.opponent == "agents" else sides[:1])
        self._enemies = sides[1]
        death_value = self.scheme.death_value if self.reward == "own_damage" else None
        self._timestep = Timestep(
            self.army, self._cells, way.to(self._device), self.attention, death_value, self._compiled
        )
        self._places = places(self.scenario).to(self._device)

    def _use(self, device: torch.device) -> None:
        """Hold all constants on a device."""
        if device != self._device:
            self._device = device
            self._build()

    def _living(self, state: State) -> Tensor:
        """Which agents have health, bool (B, n)."""
        return state["health"][:, : self.n] > 0

    def _masks(self, state: State) -> list[Tensor]:
        """What each team's agents may do, bool (B, n, actions)."""
        return [state["legal"][:, team.members, : team.layout.actions] for team in self.teams]

    def _decided(self, state: State, actions: Tensor) -> Tensor:
        """What all units do, int64 (B, U): those for whom nobody decides stop."""
        everybody = torch.full_like(state["last_action"], STOP)
        for team in self.teams:
            members = team.members
            everybody[:, members] = team.allowed(state, state["legal"][:, members], actions[:, members])
        if callable(self.opponent):
            everybody[:, self._enemies.members] = commanded(self.opponent, self._enemies, state)
        return everybody

    def _seen(self, battle: Battle, actions: Tensor, elapsed: Tensor) -> State:
        """The state of battles, with what agents may do in it."""
        state = battle.state() | {"last_action": actions, "elapsed": elapsed}
        return state | {"legal": _joined([team.mask(state) for team in self.teams])}


def _joined(rows: Sequence[Tensor]) -> Tensor:
    """Rows (B, n, width) of each team as those of all agents, with zeros behind the shorter ones."""
    if len(rows) == 1:
        return rows[0]
    width = max(part.shape[2] for part in rows)
    return torch.cat([pad(part, (0, width - part.shape[2])) for part in rows], dim=1)
