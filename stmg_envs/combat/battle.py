"""A batch of battles as the ticks of a timestep change it.

Inside of a timestep the batch is innermost: tensors are (U, B), allies first, which is several times as fast
on a CPU. Units that are dead have no health.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.units import ENERGY
from stmg_envs.protocol import State

NOBODY = -1
"""Stands where no unit is meant."""
AT_REST = -1.0
"""The swing of a unit that is not attacking."""
LONG_AGO = 1e3
"""Seconds since something that has not happened."""


@dataclass
class Battle:
    """What changes of U units in B battles, each (U, B).

    Attributes:
        x: position.
        y: position.
        health: hit points.
        shield: hit points that are hit first.
        energy: of healers.
        cooldown: seconds until the next attack may begin.
        swing: seconds since the present attack began; `AT_REST` if there is none.
        struck: strikes of it so far, int64.
        target: whom a unit turns to, int64; `NOBODY`, or an index of a unit.
        unhurt: seconds since it was last hurt.
        hurt_by: who hurt it last, int64.
        missile: damage that its missile carries.
        missile_target: to whom, int64.
        missile_time: seconds until it arrives.
        fuse: whether it has died and is yet to explode, bool.
    """

    x: Tensor
    y: Tensor
    health: Tensor
    shield: Tensor
    energy: Tensor
    cooldown: Tensor
    swing: Tensor
    struck: Tensor
    target: Tensor
    unhurt: Tensor
    hurt_by: Tensor
    missile: Tensor
    missile_target: Tensor
    missile_time: Tensor
    fuse: Tensor

    @property
    def alive(self) -> Tensor:
        """Who lives, bool (U, B)."""
        return self.health > 0

    def state(self) -> State:
        """The same with the batch first, (B, U)."""
        return {field.name: getattr(self, field.name).t() for field in fields(self)}

    @classmethod
    def of(cls, state: State) -> Battle:
        """The battles of a state."""
        return cls(**{field.name: state[field.name].t().contiguous() for field in fields(cls)})


def begin(army: Army, x: Tensor, y: Tensor) -> Battle:
    """Battles before the first shot.

    Args:
        army: the units.
        x: where they stand, float32 (U, B).
        y: likewise.
    """
    units, batch = x.shape
    whole = torch.zeros_like(x)
    nobody = torch.full((units, batch), NOBODY, device=x.device)
    return Battle(
        x=x,
        y=y,
        health=whole + army.health[:, None],
        shield=whole + army.shield[:, None],
        energy=whole + ENERGY,
        cooldown=whole.clone(),
        swing=whole + AT_REST,
        struck=torch.zeros_like(nobody),
        target=nobody,
        unhurt=whole + LONG_AGO,
        hurt_by=nobody.clone(),
        missile=whole.clone(),
        missile_target=nobody.clone(),
        missile_time=whole.clone(),
        fuse=torch.zeros_like(whole, dtype=torch.bool),
    )


def at(values: Tensor, index: Tensor) -> Tensor:
    """The values (U, B) of the units of an index (V, B); any value where the index is `NOBODY`."""
    return values.gather(0, index.clamp(min=0))
