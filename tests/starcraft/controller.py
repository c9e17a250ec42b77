"""What SMAC's class talks to instead of StarCraft II: it fights the battles of `stmg/Skirmish-v0` on 3m."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from stmg_envs.combat import Skirmish
from stmg_envs.protocol import Episodes

MARINE = 2005
"""A kind that the map defines for its agents."""
STOP, MOVE, ATTACK = 4, 16, 23
"""Numbers of StarCraft II's abilities."""
MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))


class Controller:
    """One game that goes on from battle to battle.

    Args:
        seed: of all battles.
        failure: what is raised at a step of every battle.
        fails_at: that step, or None.
    """

    def __init__(self, seed: int | None, failure: Exception, fails_at: int | None = None) -> None:
        self.game = Skirmish("3m")
        self.episodes = Episodes(self.game, 1)
        self.episodes.reset(seed)
        self.failure, self.fails_at = failure, fails_at
        self.steps = 0
        self.chosen = [0, 0, 0]
        self.killed = False

    def actions(self, request: Any) -> None:
        """Take the orders of a step; who gets none is dead."""
        self.steps += 1
        if self.steps == self.fails_at:
            raise self.failure
        self.chosen = [0, 0, 0]
        for action in request.actions:
            command = action.action_raw.unit_command
            (tag,) = command.unit_tags
            self.chosen[tag - 1] = self._action(tag - 1, command)

    def step(self, loops: int) -> None:
        """Eight loops are a decision; all units have been killed before the two of a new battle."""
        if loops == 8:
            self.episodes.step(torch.tensor([self.chosen]))
        elif self.killed:
            self.episodes.reset()
            self.killed, self.steps = False, 0

    def debug(self, commands: Any) -> None:
        """The only command kills everybody, and the map begins a new battle."""
        self.killed = True

    def observe(self) -> Any:
        """The living units."""
        state = {name: value[0].tolist() for name, value in self.episodes.state.items()}
        units = [
            SimpleNamespace(
                tag=index + 1,
                owner=1 if index < 3 else 2,
                unit_type=MARINE if index < 3 else 48,
                pos=SimpleNamespace(x=state["x"][index], y=state["y"][index]),
                health=state["health"][index],
                health_max=45.0,
                shield=0.0,
                shield_max=0.0,
                energy=0.0,
                weapon_cooldown=max(0.0, state["cooldown"][index]) * 16,
            )
            for index in range(6)
            if state["health"][index] > 0
        ]
        return SimpleNamespace(observation=SimpleNamespace(raw_data=SimpleNamespace(units=units)))

    def _action(self, agent: int, command: Any) -> int:
        if command.ability_id == STOP:
            return 1
        if command.ability_id == ATTACK:
            return 6 + int(command.target_unit_tag) - 4
        assert command.ability_id == MOVE
        x, y = (float(self.episodes.state[name][0, agent]) for name in ("x", "y"))
        goal = command.target_world_space_pos
        return 2 + MOVES.index((round((goal.x - x) / 2), round((goal.y - y) / 2)))
