"""SMAC's layouts: what agents see, what they may do, and the global state, number by number.

Equal to what SMAC's own class computes of the same units (oxwhirl/smac, d6aab33), for all its flags.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.combat.army import Army, type_bits
from stmg_envs.combat.scenarios import SIZE, Scenario

SIGHT, REACH = 9.0, 6.0
"""How far agents see, exclusively, and up to which distance they may attack, from centre to centre."""
STEP = 2.0
"""How far away the point is to which a move is ordered; what is half as far away must be free."""
MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Directions of actions 2 to 5: north, south, east, west."""
NO_OP, STOP, FIRST_MOVE, FIRST_TARGET = 0, 1, 2, 6
"""Actions; targets follow, enemies in their order, or for a healer agents in theirs."""
AROUND = ((0, 4), (0, -4), (4, 0), (-4, 0), (2, 2), (-2, -2), (2, -2), (-2, 2))
"""Cells around an agent of which it may be shown the ground, and then its own."""


@dataclass(frozen=True)
class Flags:
    """Which of SMAC's optional numbers there are.

    Attributes:
        obs_all_health: health and shields of others.
        obs_own_health: one's own.
        obs_last_action: the allies' last actions.
        obs_pathing_grid: whether eight cells around are free.
        obs_terrain_height: how high they and one's own are.
        obs_timestep_number: the share of the time limit that is over, behind a number that is always 0.
        state_last_action: all agents' last actions.
        state_timestep_number: as in observations.
        obs_instead_of_state: all observations take the place of the state.
    """

    obs_all_health: bool = True
    obs_own_health: bool = True
    obs_last_action: bool = False
    obs_pathing_grid: bool = False
    obs_terrain_height: bool = False
    obs_timestep_number: bool = False
    state_last_action: bool = True
    state_timestep_number: bool = False
    obs_instead_of_state: bool = False


@dataclass(frozen=True)
class Sighting:
    """What there is to be seen of B battles.

    Attributes:
        x: positions, float32 (B, U), allies first.
        y: likewise.
        health: (B, U), 0 of the dead.
        shield: (B, U).
        charge: cooldowns in game loops, energy of those that heal, (B, n).
        last_action: of the agents, int64 (B, n).
        elapsed: timesteps so far, int64 (B,).
    """

    x: Tensor
    y: Tensor
    health: Tensor
    shield: Tensor
    charge: Tensor
    last_action: Tensor
    elapsed: Tensor


class Layout:
    """The layouts of a map.

    Args:
        scenario: the map.
        army: its units.
        flags: optional numbers.
        cells: where one may walk, bool (SIZE, SIZE), by x and y.
        height: of the ground, float32 (SIZE, SIZE), in 0..1.
    """

    def __init__(self, scenario: Scenario, army: Army, flags: Flags, cells: Tensor, height: Tensor) -> None:
        self.army, self.flags, self.cells, self.height = army, flags, cells, height
        self.limit = scenario.limit
        n, m = army.n, army.m
        self.n, self.m = n, m
        self.actions = FIRST_TARGET + m
        self.ally_bits = type_bits(scenario.ally_types, scenario.kinds).to(cells.device)
        self.enemy_bits = type_bits(scenario.enemy_types, scenario.enemy_kinds).to(cells.device)
        self.ally_shield = scenario.ally_race == "P"
        self.enemy_shield = scenario.enemy_race == "P"
        self.healers = army.heals[:n] > 0
        # Row i holds all agents but i.
        others = torch.tensor([[j for j in range(n) if j != i] for i in range(n)]).view(n, n - 1)
        self.others = others.to(cells.device)

    @property
    def obs_size(self) -> int:
        """Numbers of an observation."""
        flags, bits = self.flags, self.ally_bits.shape[1]
        moves = 4 + 8 * flags.obs_pathing_grid + 9 * flags.obs_terrain_height
        enemy = 4 + flags.obs_all_health * (1 + self.enemy_shield) + bits
        ally = 4 + flags.obs_all_health * (1 + self.ally_shield) + bits
        own = flags.obs_own_health * (1 + self.ally_shield) + bits
        last = self.actions * flags.obs_last_action
        return moves + self.m * enemy + (self.n - 1) * (ally + last) + own + 2 * flags.obs_timestep_number

    @property
    def state_size(self) -> int:
        """Numbers of the state."""
        if self.flags.obs_instead_of_state:
            return self.n * self.obs_size
        bits = self.ally_bits.shape[1]
        units = self.n * (4 + self.ally_shield + bits) + self.m * (3 + self.enemy_shield + bits)
        last = self.n * self.actions * self.flags.state_last_action
        return units + last + self.flags.state_timestep_number

    def mask(self, seen: Sighting) -> Tensor:
        """Which actions agents may take, bool (B, n, 6 + m)."""
        n, alive = self.n, seen.health[:, : self.n] > 0
        mask = torch.zeros(len(alive), n, self.actions, dtype=torch.bool, device=alive.device)
        mask[..., NO_OP] = ~alive
        mask[..., STOP] = alive
        for action, (dx, dy) in enumerate(MOVES, FIRST_MOVE):
            # What lies half as far away as one goes; fractions are cut off towards 0, as SMAC does.
            x = (seen.x[:, :n] + dx * STEP / 2).long()
            y = (seen.y[:, :n] + dy * STEP / 2).long()
            mask[..., action] = alive & self._ground(self.cells, x, y, outside=False)
        living = seen.health > 0
        near = self._distances(seen) <= REACH
        targets = near[..., n:] & living[:, None, n:] & alive[..., None]
        mask[..., FIRST_TARGET:] = targets & ~self.healers[:, None]
        if any(unit < n for unit in self.army.healers.members):
            patients = near[..., :n] & living[:, None, :n] & alive[..., None] & ~self.healers
            width = min(n, self.m)
            healing = patients[..., :width] & self.healers[:, None]
            mask[..., FIRST_TARGET : FIRST_TARGET + width] |= healing
        return mask

    def observe(self, seen: Sighting, mask: Tensor) -> Tensor:
        """Observations, float32 (B, n, obs_size); 0 of the dead, but for the time."""
        n, flags = self.n, self.flags
        batch = len(seen.x)
        alive = seen.health[:, :n] > 0
        distance = self._distances(seen)
        visible = (distance < SIGHT) & (seen.health > 0)[:, None] & alive[..., None]
        dx = (seen.x[:, None] - seen.x[:, :n, None]) / SIGHT
        dy = (seen.y[:, None] - seen.y[:, :n, None]) / SIGHT
        health, shield = self._fractions(seen)
        parts = [mask[..., FIRST_MOVE:FIRST_TARGET].float(), *self._around(seen)]

        enemy = [mask[..., FIRST_TARGET:].float(), distance[..., n:] / SIGHT, dx[..., n:], dy[..., n:]]
        if flags.obs_all_health:
            enemy.append(health[:, None, n:].expand(-1, n, -1))
            if self.enemy_shield:
                enemy.append(shield[:, None, n:].expand(-1, n, -1))
        rows = self._with_bits(torch.stack(enemy, dim=-1), self.enemy_bits)
        parts.append(torch.where(visible[..., n:, None], rows, 0.0).flatten(2))

        index = self.others.expand(batch, -1, -1)
        among = [torch.gather(x[..., :n], 2, index) for x in (distance / SIGHT, dx, dy)]
        ally = [torch.ones_like(among[0]), *among]
        if flags.obs_all_health:
            ally.append(health[:, self.others])
            if self.ally_shield:
                ally.append(shield[:, self.others])
        rows = torch.cat(
            [torch.stack(ally, dim=-1), self.ally_bits[self.others].expand(batch, -1, -1, -1)], -1
        )
        if flags.obs_last_action:
            rows = torch.cat([rows, self._last(seen)[:, self.others]], dim=-1)
        shown = torch.gather(visible[..., :n], 2, index)
        parts.append(torch.where(shown[..., None], rows, 0.0).flatten(2))

        own = []
        if flags.obs_own_health:
            own.append(health[:, :n, None])
            if self.ally_shield:
                own.append(shield[:, :n, None])
        parts += [*own, self.ally_bits.expand(batch, -1, -1)]
        observations = torch.where(alive[..., None], torch.cat(parts, dim=-1), 0.0)
        if flags.obs_timestep_number:
            # SMAC counts the time among one's own numbers, where it leaves 0, and puts it behind them, also
            # for the dead.
            time = self._time(seen)[:, None, None].expand(-1, n, 1)
            observations = torch.cat([observations, torch.zeros_like(time), time], dim=-1)
        return observations

    def state(self, seen: Sighting) -> Tensor:
        """Global states, float32 (B, state_size), where observations do not take their place."""
        n, alive = self.n, (seen.health > 0)[..., None]
        health, shield = self._fractions(seen)
        x, y = ((place - SIZE / 2) / SIZE for place in (seen.x, seen.y))
        ally = [health[:, :n], seen.charge / self.army.weapon[:n], x[:, :n], y[:, :n]]
        enemy = [health[:, n:], x[:, n:], y[:, n:]]
        if self.ally_shield:
            ally.append(shield[:, :n])
        if self.enemy_shield:
            enemy.append(shield[:, n:])
        parts = [
            torch.where(there, self._with_bits(torch.stack(rows, dim=-1), bits), 0.0).flatten(1)
            for rows, bits, there in (
                (ally, self.ally_bits, alive[:, :n]),
                (enemy, self.enemy_bits, alive[:, n:]),
            )
        ]
        if self.flags.state_last_action:
            parts.append(self._last(seen).flatten(1))
        if self.flags.state_timestep_number:
            parts.append(self._time(seen)[:, None])
        return torch.cat(parts, dim=1)

    def _around(self, seen: Sighting) -> list[Tensor]:
        """The ground around agents, as far as it is asked for, each (B, n, cells)."""
        x, y = (place[:, : self.n].long() for place in (seen.x, seen.y))
        shown = []
        if self.flags.obs_pathing_grid:
            cells = [self._ground(self.cells, x + dx, y + dy, outside=True).float() for dx, dy in AROUND]
            shown.append(torch.stack(cells, dim=-1))
        if self.flags.obs_terrain_height:
            around = (*AROUND, (0, 0))
            heights = [self._ground(self.height, x + dx, y + dy, outside=True) for dx, dy in around]
            shown.append(torch.stack(heights, dim=-1))
        return shown

    def _ground(self, table: Tensor, x: Tensor, y: Tensor, outside: bool) -> Tensor:
        """What a table of cells says of some, and something else of cells outside of the map."""
        inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
        found = table[x.clamp(0, SIZE - 1), y.clamp(0, SIZE - 1)]
        return torch.where(inside, found, torch.full_like(found, outside))

    def _distances(self, seen: Sighting) -> Tensor:
        """From every agent to every unit, (B, n, U)."""
        dx = seen.x[:, None] - seen.x[:, : self.n, None]
        dy = seen.y[:, None] - seen.y[:, : self.n, None]
        return (dx * dx + dy * dy).sqrt()

    def _fractions(self, seen: Sighting) -> tuple[Tensor, Tensor]:
        """Health and shields of what they are at most, (B, U)."""
        return seen.health / self.army.health, seen.shield / self.army.shield.clamp(min=1.0)

    def _last(self, seen: Sighting) -> Tensor:
        return torch.nn.functional.one_hot(seen.last_action, self.actions).float()

    def _time(self, seen: Sighting) -> Tensor:
        return seen.elapsed / self.limit

    @staticmethod
    def _with_bits(rows: Tensor, bits: Tensor) -> Tensor:
        """Rows (..., units, numbers) with type bits (units, kinds) behind them."""
        return torch.cat([rows, bits.expand(*rows.shape[:-1], -1)], dim=-1)
